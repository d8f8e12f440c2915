// How many Pods a ReplicaSet must create, or which it must delete. No I/O, no clock.
// Upstream: manageReplicas in pkg/controller/replicaset/replica_set.go.
import type { Pod } from '../../api/types/core-v1.ts'
import { podsToDelete } from '../pod-control/pod-ranks.ts'

/** So many at once, at most; the rest follows when these were seen. */
export const BURST_REPLICAS = 500

export type ReplicaAction =
  | { do: 'nothing' }
  | { do: 'create'; count: number }
  | { do: 'delete'; pods: Pod[] }

export interface ObservedReplicas {
  /** Its active Pods. */
  pods: readonly Pod[]
  /** Those of every replica set with the same owner; asked for only when something is to be deleted. */
  related: () => readonly Pod[]
}

export function decideReplicas(
  replicas: number,
  { pods, related }: ObservedReplicas,
  now: number,
): ReplicaAction {
  const surplus = pods.length - replicas
  if (surplus < 0) return { do: 'create', count: Math.min(-surplus, BURST_REPLICAS) }
  if (surplus === 0) return { do: 'nothing' }
  return { do: 'delete', pods: podsToDelete(pods, related(), Math.min(surplus, BURST_REPLICAS), now) }
}
