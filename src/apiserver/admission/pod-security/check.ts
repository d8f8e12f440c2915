// The shape of one check of the Pod Security Standards, and the words they share.
import type { Container, Pod, PodSpec } from '../../../api/types/core-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'

export type PodLike = { metadata?: Partial<Pod['metadata']>; spec: PodSpec }

/** What is wrong with a pod: in a few words, and in which containers. */
export interface Violation {
  reason: string
  detail: string
}

export type CheckPod = (pod: PodLike) => Violation | undefined

export interface PodCheck {
  id: string
  /** Replaces this one, which it includes. */
  overrides?: string
  /** By the first minor version of v1 that has it, oldest first. */
  versions: readonly [since: number, check: CheckPod][]
}

/** In upstream's order: init containers first, ephemeral ones last. */
export function allContainers({
  initContainers = [],
  containers,
  ephemeralContainers = [],
}: PodSpec): Container[] {
  return [...initContainers, ...containers, ...(ephemeralContainers as unknown as Container[])]
}

export const quoted = (names: Iterable<string>): string => [...names].map(goQuote).join(', ')

export const sortedQuoted = (names: Iterable<string>): string => quoted([...new Set(names)].sort())

/** 'container "a"', 'containers "a", "b"'. */
export const containersText = (names: readonly string[]): string =>
  `${names.length === 1 ? 'container' : 'containers'} ${quoted(names)}`

/** 'pod and containers "a", "b"'; '' when nobody did. */
export function settersText(byPod: boolean, containers: readonly string[]): string {
  return [...(byPod ? ['pod'] : []), ...(containers.length > 0 ? [containersText(containers)] : [])].join(
    ' and ',
  )
}

/** Names of the containers for which it holds. */
export const namesWhere = (spec: PodSpec, holds: (container: Container) => boolean): string[] =>
  allContainers(spec)
    .filter(holds)
    .map(({ name }) => name)

/** The relaxations for pods in a user namespace of their own. */
export const hasOwnUsers = ({ spec }: PodLike): boolean => spec.hostUsers === false

/** From 1.25 on, what Windows does not know is not asked of it. */
export const unlessWindows =
  (check: CheckPod): CheckPod =>
  pod =>
    pod.spec.os?.name === 'windows' ? undefined : check(pod)
