// Evicts the Pods that have to go for another one. Upstream: preemption.Evaluator prepareCandidate, PreemptPod.
import { pods } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { EventsV1Recorder } from '../../client/events/events-v1-recorder.ts'
import { type StatusParts, writePodStatus } from '../write-pod-status.ts'
import { isLeavingForOthers } from './preempt.ts'
import type { Victims } from './victims.ts'

export interface RoomParts extends StatusParts {
  recorder: EventsV1Recorder
}

/** All at once; a victim that is gone already is fine. Rejects when one cannot be evicted. */
export async function makeRoom(pod: Pod, { node, pods: victims }: Victims, parts: RoomParts): Promise<void> {
  await Promise.all(victims.map(victim => evict(victim, pod, node, parts)))
}

/** It ends as any deleted Pod does, within its own grace period. */
async function evict(victim: Pod, pod: Pod, node: string, parts: RoomParts): Promise<void> {
  if (isLeavingForOthers(victim)) return
  const { name, namespace, uid } = victim.metadata
  const condition = {
    type: 'DisruptionTarget',
    status: 'True' as const,
    reason: 'PreemptionByScheduler',
    message: `${pod.spec.schedulerName}: preempting to accommodate a higher priority pod`,
  }
  await writePodStatus(victim, { condition }, parts)
  try {
    await parts.client.delete(pods, { name, namespace: namespace! }, { preconditions: { uid } })
  } catch (error) {
    if (isNotFound(error)) return
    throw error
  }
  const note = `Preempted by pod ${pod.metadata.uid} on node ${node}`
  parts.recorder.event(victim, pod, 'Normal', 'Preempted', 'Preempting', note)
}
