// Which of a Deployment's ReplicaSets is the new one, which are old, and how large they are. No I/O.
import type { Deployment, ReplicaSet } from '../../api/types/apps-v1.ts'
import type { PodTemplateSpec } from '../../api/types/core-v1.ts'
import { same } from '../../api/validation/field-error.ts'
import { createdAt } from '../pod-control/pod-state.ts'
import { revisionOf } from './annotations.ts'

export const TEMPLATE_HASH = 'pod-template-hash'

export interface ReplicaSetRoles {
  /** Has the Deployment's template. Undefined until it is created. */
  newest: ReplicaSet | undefined
  old: ReplicaSet[]
  /** Of the new one: one more than the highest of the old. */
  revision: bigint
}

export const sizeOf = ({ spec }: ReplicaSet): number => spec.replicas ?? 1

/** Asked to have Pods. Upstream: FilterActiveReplicaSets. */
export const hasSize = (set: ReplicaSet): boolean => sizeOf(set) > 0

export const totalSize = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + sizeOf(set), 0)

export const olderFirst = (a: ReplicaSet, b: ReplicaSet): number =>
  createdAt(a) - createdAt(b) || (a.metadata.name < b.metadata.name ? -1 : 1)

export const newerFirst = (a: ReplicaSet, b: ReplicaSet): number =>
  createdAt(b) - createdAt(a) || (a.metadata.name < b.metadata.name ? -1 : 1)

/** Of several with the template the oldest is the new one, so that all agree. Upstream: FindNewReplicaSet. */
export function rolesOf({ spec }: Deployment, sets: readonly ReplicaSet[]): ReplicaSetRoles {
  const sorted = [...sets].sort(olderFirst)
  const newest = sorted.find(set => isSameTemplate(set.spec.template, spec.template))
  const old = sorted.filter(set => set !== newest)
  let highest = 0n
  for (const set of old) if (revisionOf(set) > highest) highest = revisionOf(set)
  return { newest, old, revision: highest + 1n }
}

/** Apart from the hash label. Upstream: EqualIgnoreHash. */
export function isSameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return same(a.spec, b.spec) && same(withoutHash(a), withoutHash(b))
}

function withoutHash({ metadata }: PodTemplateSpec): object {
  const { [TEMPLATE_HASH]: _, ...labels } = metadata?.labels ?? {}
  return { ...metadata, labels: Object.keys(labels).length > 0 ? labels : undefined }
}
