// Conditions of an autoscaler's status. Pure. Upstream: setConditionInList.
import { formatTime } from '../../api/time.ts'
import type { HorizontalPodAutoscalerCondition } from '../../api/types/autoscaling-v2.ts'

export interface Judgement {
  type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited'
  status: 'True' | 'False'
  reason: string
  message: string
}

/** The time of a condition changes only with its status. */
export function withJudgements(
  conditions: readonly HorizontalPodAutoscalerCondition[] | undefined,
  judgements: readonly Judgement[],
  now: number,
): HorizontalPodAutoscalerCondition[] {
  const result = [...(conditions ?? [])]
  for (const judgement of judgements) {
    const index = result.findIndex(({ type }) => type === judgement.type)
    const before = result[index]
    const isNew = before?.status !== judgement.status
    const lastTransitionTime = isNew ? formatTime(now) : before?.lastTransitionTime
    const condition = { ...judgement, ...(lastTransitionTime && { lastTransitionTime }) }
    if (index < 0) result.push(condition)
    else result[index] = condition
  }
  return result
}
