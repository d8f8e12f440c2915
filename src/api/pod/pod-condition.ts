// Conditions of a Pod that others than its kubelet write.
import { formatTime } from '../time.ts'
import type { Pod, PodCondition } from '../types/core-v1.ts'

export type DisruptionReason =
  | 'EvictionByEvictionAPI'
  | 'DeletionByTaintManager'
  | 'DeletionByDeviceTaintManager'
  | 'DeletionByPodGC'
  | 'PreemptionByScheduler'

/** A copy of the Pod with the condition; its time changes with its status only. Upstream: UpdatePodCondition. */
export function withPodCondition(
  pod: Pod,
  condition: Omit<PodCondition, 'lastTransitionTime' | 'observedGeneration'>,
  now: number,
): Pod {
  const { conditions = [] } = pod.status
  const { generation } = pod.metadata
  const old = conditions.find(({ type }) => type === condition.type)
  const sameStatus = old?.status === condition.status && old.lastTransitionTime
  const made: PodCondition = {
    ...condition,
    ...(generation !== undefined && { observedGeneration: generation }),
    lastTransitionTime: sameStatus ? old.lastTransitionTime! : formatTime(now),
  }
  const changed = old ? conditions.map(one => (one === old ? made : one)) : [...conditions, made]
  return { ...pod, status: { ...pod.status, conditions: changed } }
}

/** It is about to be taken away, by somebody who cannot help it. KEP-3329. */
export function withDisruptionTarget(pod: Pod, reason: DisruptionReason, message: string, now: number): Pod {
  return withPodCondition(pod, { type: 'DisruptionTarget', status: 'True', reason, message }, now)
}
