// A StatefulSet's status from its Pods. Upstream: updateStatus and completeRollingUpdate.
import type { StatefulSet, StatefulSetStatus } from '../../api/types/apps-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { omitZero } from '../pod-control/omit-zero.ts'
import { isRunningAndAvailable, isRunningAndReady } from './decide-stateful-set.ts'
import { replicasOf } from './ordinals.ts'
import { revisionOfPod } from './stateful-pod.ts'

export interface ObservedForStatus {
  pods: readonly Pod[]
  currentRevision: string
  updateRevision: string
  collisionCount: number
}

/** `now` in epoch milliseconds. */
export function statefulSetStatus(
  set: StatefulSet,
  { pods, currentRevision, updateRevision, collisionCount }: ObservedForStatus,
  now: number,
): StatefulSetStatus {
  const ready = pods.filter(isRunningAndReady)
  const standing = pods.filter(({ metadata }) => !metadata.deletionTimestamp)
  const ofRevision = (name: string) => standing.filter(pod => revisionOfPod(pod) === name).length
  const counts = {
    replicas: pods.length,
    ready: ready.length,
    current: ofRevision(currentRevision),
    updated: ofRevision(updateRevision),
  }
  const isComplete = isRolledOut(set, counts)
  const { conditions } = set.status
  return {
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    replicas: counts.replicas,
    ...omitZero('readyReplicas', counts.ready),
    ...omitZero('currentReplicas', isComplete ? counts.updated : counts.current),
    ...omitZero('updatedReplicas', counts.updated),
    currentRevision: isComplete ? updateRevision : currentRevision,
    updateRevision,
    collisionCount,
    ...(conditions && { conditions }),
    availableReplicas: ready.filter(pod => isRunningAndAvailable(pod, set, now)).length,
  }
}

/** All Pods are of the newest revision and ready: then it is the current one. */
function isRolledOut(
  set: StatefulSet,
  { replicas, ready, updated }: Record<'replicas' | 'ready' | 'updated', number>,
): boolean {
  const wanted = replicasOf(set)
  return (
    set.spec.updateStrategy.type === 'RollingUpdate' &&
    updated === wanted &&
    ready === wanted &&
    replicas === wanted
  )
}
