// Names of a StatefulSet's Pods and claims, and which ordinals it has. Upstream: stateful_set_utils.go.
import type { StatefulSet } from '../../api/types/apps-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'

export const startOrdinal = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0

export const replicasOf = ({ spec }: StatefulSet): number => spec.replicas ?? 1

export const podName = ({ metadata }: StatefulSet, ordinal: number): string => `${metadata.name}-${ordinal}`

/** 'data-web-0' */
export const claimName = (template: string, { metadata }: StatefulSet, ordinal: number): string =>
  `${template}-${metadata.name}-${ordinal}`

/** 'web-12' is ordinal 12 of 'web'; anything else has no parent and ordinal -1. */
export function parentAndOrdinal({ metadata }: Pod): { parent: string; ordinal: number } {
  const [, parent = '', digits] = /^(.*)-([0-9]+)$/s.exec(metadata.name) ?? []
  const ordinal = Number(digits)
  return digits === undefined || ordinal > 2_147_483_647 ? { parent: '', ordinal: -1 } : { parent, ordinal }
}

export const ordinalOf = (pod: Pod): number => parentAndOrdinal(pod).ordinal

export const isMemberOf = ({ metadata }: StatefulSet, pod: Pod): boolean =>
  parentAndOrdinal(pod).parent === metadata.name

/** Whether the set, as it asks now, has a Pod of this ordinal. */
export function isInRange(set: StatefulSet, pod: Pod): boolean {
  const index = ordinalOf(pod) - startOrdinal(set)
  return index >= 0 && index < replicasOf(set)
}
