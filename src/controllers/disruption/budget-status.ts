// What a PodDisruptionBudget allows now. Pure. Upstream: pkg/controller/disruption/disruption.go.
import { scaledCount } from '../../api/int-or-percent.ts'
import { formatTime } from '../../api/time.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Condition } from '../../api/types/meta-v1.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/types/policy-v1.ts'
import { isReady } from '../pod-control/pod-state.ts'

/** So long an evicted Pod may take to be deleted. Upstream: DeletionTimeout. */
export const DELETION_TIMEOUT_MS = 120_000

export interface DisruptedPods {
  /** Evicted, and not seen to go yet. */
  pods: Record<string, string>
  /** Evicted long ago, and still there. */
  overdue: Pod[]
  /** When the first of them is overdue. */
  recheckAt?: number
}

/** Upstream: buildDisruptedPodMap. */
export function disruptedPods(
  { status }: PodDisruptionBudget,
  pods: readonly Pod[],
  now: number,
): DisruptedPods {
  const result: DisruptedPods = { pods: {}, overdue: [] }
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    const evictedAt = status.disruptedPods?.[name]
    if (deletionTimestamp || evictedAt === undefined) continue
    const dueAt = Date.parse(evictedAt) + DELETION_TIMEOUT_MS
    if (dueAt < now) {
      result.overdue.push(pod)
      continue
    }
    result.pods[name] = evictedAt
    result.recheckAt = Math.min(dueAt, result.recheckAt ?? dueAt)
  }
  return result
}

export interface Wanted {
  expected: number
  healthy: number
}

/** Whether the sizes of the Pods' controllers have to be known. A plain minAvailable goes by the Pods there are. */
export const needsScale = ({ spec }: PodDisruptionBudget): boolean =>
  spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string'

/** `scale`: of all controllers together; else the number of Pods. Upstream: getExpectedPodCount. */
export function wantedHealthy({ spec }: PodDisruptionBudget, scale: number): Wanted {
  if (spec.maxUnavailable !== undefined) {
    const healthy = Math.max(0, scale - scaledCount(spec.maxUnavailable, scale, 'up'))
    return { expected: scale, healthy }
  }
  if (spec.minAvailable === undefined) return { expected: 0, healthy: 0 }
  return { expected: scale, healthy: scaledCount(spec.minAvailable, scale, 'up') }
}

/** Upstream: countHealthyPods, updatePdbStatus. */
export function budgetStatus(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  { expected, healthy }: Wanted,
  disrupted: Record<string, string>,
  now: number,
): PodDisruptionBudgetStatus {
  const counts = (pod: Pod) =>
    isReady(pod) && !pod.metadata.deletionTimestamp && disrupted[pod.metadata.name] === undefined
  const currentHealthy = pods.filter(counts).length
  const spare = currentHealthy - healthy
  const disruptionsAllowed = expected <= 0 || spare <= 0 ? 0 : spare
  const { generation } = budget.metadata
  const status: PodDisruptionBudgetStatus = {
    ...(generation !== undefined && { observedGeneration: generation }),
    ...(Object.keys(disrupted).length > 0 && { disruptedPods: disrupted }),
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy: healthy,
    expectedPods: expected,
  }
  const reason = disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods'
  status.conditions = withAllowed(budget, disruptionsAllowed > 0, reason, '', generation, now)
  return status
}

/** When nothing could be found out, nothing may be evicted. Upstream: failSafe. */
export function failedStatus(
  budget: PodDisruptionBudget,
  message: string,
  now: number,
): PodDisruptionBudgetStatus {
  const { status } = budget
  const conditions = withAllowed(budget, false, 'SyncFailed', message, status.observedGeneration, now)
  return { ...status, disruptionsAllowed: 0, conditions }
}

function withAllowed(
  { status: { conditions = [] } }: PodDisruptionBudget,
  allowed: boolean,
  reason: string,
  message: string,
  observedGeneration: number | undefined,
  now: number,
): Condition[] {
  const type = 'DisruptionAllowed'
  const old = conditions.find(condition => condition.type === type)
  const status = allowed ? 'True' : 'False'
  const made: Condition = {
    type,
    status,
    ...(observedGeneration && { observedGeneration }),
    lastTransitionTime: old?.status === status ? old.lastTransitionTime : formatTime(now),
    reason,
    message,
  }
  return old ? conditions.map(one => (one === old ? made : one)) : [...conditions, made]
}
