import type { Deployment, ReplicaSet } from '../../api/types/apps-v1.ts'
import { revisionOf } from './annotations.ts'
import { olderFirst, sizeOf } from './replica-set-roles.ts'

const UNLIMITED = 2_147_483_647

/** Old ReplicaSets beyond the history's limit, the oldest revisions first. Upstream: cleanupDeployment. */
export function replicaSetsToForget({ spec }: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = spec.revisionHistoryLimit
  if (limit === undefined || limit === UNLIMITED) return []
  const standing = old.filter(({ metadata }) => !metadata.deletionTimestamp)
  const surplus = Math.max(standing.length - limit, 0)
  return standing
    .sort((a, b) => Number(revisionOf(a) - revisionOf(b)) || olderFirst(a, b))
    .slice(0, surplus)
    .filter(set => isEmptied(set))
}

const isEmptied = (set: ReplicaSet): boolean =>
  set.status.replicas === 0 &&
  sizeOf(set) === 0 &&
  (set.metadata.generation ?? 0) <= (set.status.observedGeneration ?? 0)
