// Conditions of a Job's status. Pure.
import { formatTime } from '../../api/time.ts'
import type { JobCondition } from '../../api/types/batch-v1.ts'

export function newCondition(
  type: string,
  reason: string,
  message: string,
  now: number,
  status: 'True' | 'False' = 'True',
): JobCondition {
  const at = formatTime(now)
  return {
    type,
    status,
    lastProbeTime: at,
    lastTransitionTime: at,
    ...(reason && { reason }),
    ...(message && { message }),
  }
}

/**
 * The list with the condition in it, or the same list when it says that already. A condition that never was true
 * is not added as false. Upstream: ensureJobConditionStatus.
 */
export function withCondition(
  conditions: readonly JobCondition[] | undefined,
  condition: JobCondition,
): readonly JobCondition[] {
  const list = conditions ?? []
  const old = list.find(({ type }) => type === condition.type)
  if (!old) return condition.status === 'False' ? list : [...list, condition]
  if (
    old.status === condition.status &&
    (old.reason ?? '') === (condition.reason ?? '') &&
    (old.message ?? '') === (condition.message ?? '')
  )
    return list
  return list.map(one => (one === old ? condition : one))
}
