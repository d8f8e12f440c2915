// Pieces that several kinds' cells share. Texts are those kubectl users know; they are part of the wire.
import { humanDuration } from '../../api/duration.ts'
import type { PodSpec } from '../../api/types/core-v1.ts'
import type { LabelSelector, ObjectMeta } from '../../api/types/meta-v1.ts'
import { type Column, wide } from './table.ts'

export const NONE = '<none>'

/** '5m', or '<unknown>' for a time that is not set. */
export function since(time: string | null | undefined, now: number): string {
  return time ? humanDuration(now - Date.parse(time)) : '<unknown>'
}

export function ageOf({ creationTimestamp }: ObjectMeta, now: number): string {
  return since(creationTimestamp, now)
}

/** 'a=1,b=2', sorted; '<none>' for none. Upstream: labels.FormatLabels. */
export function formatLabels(labels: Record<string, string> | undefined): string {
  return pairs(labels).join(',') || NONE
}

const OPERATORS: Record<string, (key: string, values: string) => string> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: key => key,
  DoesNotExist: key => `!${key}`,
}

/** Upstream: metav1.FormatLabelSelector. */
export function formatLabelSelector(selector: LabelSelector | null | undefined): string {
  const equalities = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({
    key,
    text: `${key}=${value}`,
  }))
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({
    key,
    text: OPERATORS[operator]?.(key, [...values].sort().join(',')) ?? '<error>',
  }))
  const terms = [...equalities, ...expressions].sort((left, right) => (left.key < right.key ? -1 : 1))
  return terms.map(({ text }) => text).join(',') || NONE
}

function pairs(labels: Record<string, string> = {}): string[] {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
}

export const CONTAINER_COLUMNS: readonly Column[] = [
  wide('Containers', 'Names of the containers in the template.'),
  wide('Images', 'Images of the containers in the template.'),
]

/** Which pods are meant. */
export const SELECTOR = wide('Selector', 'Labels of its pods.')

export function containerCells(spec: PodSpec | undefined): [names: string, images: string] {
  const containers = spec?.containers ?? []
  return [containers.map(({ name }) => name).join(','), containers.map(({ image }) => image ?? '').join(',')]
}

/** 'a,b + 2 more...' */
export function listWithMore(all: readonly string[], shown: number, separator = ','): string {
  const text = all.slice(0, shown).join(separator)
  return all.length > shown ? `${text} + ${all.length - shown} more...` : text
}

const ACCESS_MODES = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const

export function formatAccessModes(modes: readonly string[] = []): string {
  return ACCESS_MODES.filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',')
}

export function formatBoolean(value: boolean | undefined): string {
  return value === undefined ? '<unset>' : value ? 'True' : 'False'
}
