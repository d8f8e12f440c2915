// What the scheduler writes into a waiting Pod's status: why it has no node, and where room is being made for it.
// Upstream: updatePod in schedule_one.go, util.PatchPodStatus.
import { pods } from '../api/resources.ts'
import { isNotFound } from '../api/status-error.ts'
import { formatTime } from '../api/time.ts'
import type { Pod, PodCondition } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'

export interface StatusParts {
  client: Client
  clock: Clock
  log: Log
}

export interface PodStatusChange {
  condition?: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>
  /** Left out: as it is; '': no promise any more. */
  nominatedNode?: string
}

/** Nothing is written that is there already. Resolves when it is written, or could not be. */
export async function writePodStatus(pod: Pod, change: PodStatusChange, parts: StatusParts): Promise<void> {
  const status = { ...conditionPatch(pod, change, parts.clock.now()), ...nominationPatch(pod, change) }
  if (Object.keys(status).length === 0) return
  const { name, namespace, uid } = pod.metadata
  const key = { name, namespace: namespace! }
  const type = 'application/strategic-merge-patch+json'
  try {
    await parts.client.patch(pods, key, type, { metadata: { uid }, status }, { subresource: 'status' })
  } catch (error) {
    if (isNotFound(error)) return
    parts.log.warn({ error, pod: `${namespace}/${name}` }, "the pod's status was not written")
  }
}

function conditionPatch(pod: Pod, { condition }: PodStatusChange, now: number): object {
  if (!condition) return {}
  const old = pod.status.conditions?.find(({ type }) => type === condition.type)
  const isSame =
    old?.status === condition.status && old.reason === condition.reason && old.message === condition.message
  if (isSame) return {}
  const observedGeneration = pod.metadata.generation
  return {
    conditions: [
      {
        ...condition,
        ...(observedGeneration && { observedGeneration }),
        lastProbeTime: null,
        lastTransitionTime: old?.status === condition.status ? old.lastTransitionTime : formatTime(now),
      },
    ],
  }
}

function nominationPatch({ status }: Pod, { nominatedNode }: PodStatusChange): object {
  if (nominatedNode === undefined || nominatedNode === (status.nominatedNodeName ?? '')) return {}
  return { nominatedNodeName: nominatedNode || null }
}
