// A ReplicaSet's status from its Pods. Upstream: calculateStatus in pkg/controller/replicaset/replica_set_utils.go.
import { matchesAll } from '../../api/labels.ts'
import { formatTime } from '../../api/time.ts'
import type { ReplicaSetCondition, ReplicaSetStatus } from '../../api/types/apps-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { omitZero } from '../pod-control/omit-zero.ts'
import { isAvailable, isReady } from '../pod-control/pod-state.ts'
import type { Replicated } from './replicated.ts'

const REPLICA_FAILURE = 'ReplicaFailure'

export interface ObservedForStatus {
  active: readonly Pod[]
  terminating: readonly Pod[]
  /** Why Pods could not be created or deleted. */
  failure?: string
}

/** `now` in epoch milliseconds. */
export function replicaSetStatus(
  { metadata, replicas, minReadySeconds, template, status }: Replicated,
  { active, terminating, failure }: ObservedForStatus,
  now: number,
): ReplicaSetStatus {
  const labels = template.metadata?.labels ?? {}
  const count = (holds: (pod: Pod) => boolean) => active.filter(holds).length
  const conditions = conditionsOf(status.conditions ?? [], failure, active.length - replicas, now)
  return {
    replicas: active.length,
    ...omitZero(
      'fullyLabeledReplicas',
      count(pod => matchesAll(labels, pod.metadata.labels)),
    ),
    ...omitZero('readyReplicas', count(isReady)),
    ...omitZero(
      'availableReplicas',
      count(pod => isAvailable(pod, minReadySeconds, now)),
    ),
    terminatingReplicas: terminating.length,
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    ...(conditions.length > 0 && { conditions }),
  }
}

/** A failure that is told already keeps its text until it is over. */
function conditionsOf(
  before: readonly ReplicaSetCondition[],
  failure: string | undefined,
  surplus: number,
  now: number,
): ReplicaSetCondition[] {
  const isTold = before.some(({ type }) => type === REPLICA_FAILURE)
  if (failure === undefined) return before.filter(({ type }) => type !== REPLICA_FAILURE)
  if (isTold) return [...before]
  const reason = surplus < 0 ? 'FailedCreate' : surplus > 0 ? 'FailedDelete' : ''
  const condition: ReplicaSetCondition = {
    type: REPLICA_FAILURE,
    status: 'True',
    lastTransitionTime: formatTime(now),
    ...(reason && { reason }),
    message: failure,
  }
  return [...before, condition]
}
