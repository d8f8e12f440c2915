// A DaemonSet's status from nodes and Pods. Upstream: updateDaemonSetStatus.
import type { DaemonSet, DaemonSetStatus } from '../../api/types/apps-v1.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { omitZero } from '../pod-control/omit-zero.ts'
import { isAvailable, isReady } from '../pod-control/pod-state.ts'
import { isUpdated } from './daemon-pod.ts'
import { podsByNode } from './decide-daemon-set.ts'
import { nodeFit } from './node-fit.ts'

export interface ObservedForStatus {
  nodes: readonly Node[]
  pods: readonly Pod[]
  hash: string
}

/** Of several Pods on a node the oldest counts. `now` in epoch milliseconds. */
export function daemonSetStatus(
  set: DaemonSet,
  { nodes, pods, hash }: ObservedForStatus,
  now: number,
): DaemonSetStatus {
  const byNode = podsByNode(pods)
  const podOn = ({ metadata }: Node) => byNode.get(metadata.name)?.[0]
  const wanted = nodes.filter(node => nodeFit(set, node).shouldRun)
  const unwanted = nodes.filter(node => !wanted.includes(node))
  const placed = wanted.map(podOn).filter(pod => pod !== undefined)
  const ready = placed.filter(isReady)
  const available = ready.filter(pod => isAvailable(pod, set.spec.minReadySeconds, now)).length
  const { conditions, collisionCount } = set.status
  return {
    currentNumberScheduled: placed.length,
    numberMisscheduled: unwanted.filter(node => podOn(node) !== undefined).length,
    desiredNumberScheduled: wanted.length,
    numberReady: ready.length,
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    ...omitZero('updatedNumberScheduled', placed.filter(pod => isUpdated(pod, hash)).length),
    ...omitZero('numberAvailable', available),
    ...omitZero('numberUnavailable', wanted.length - available),
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions && { conditions }),
  }
}
