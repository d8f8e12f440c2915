// The pod's whole status as the API shows it. Pure. Upstream: kubelet_pods.go generateAPIPodStatus.

import { qosClass } from '../../api/pod/qos.ts'
import type {
  ContainerState,
  ContainerStatus,
  Pod,
  PodCondition,
  PodPhase,
  PodStatus,
} from '../../api/types/core-v1.ts'
import { apiTime } from '../api-time.ts'
import { newestOf, type ObservedPod } from '../pod-worker/observed-pod.ts'
import { hasRestartAllRule } from '../pod-worker/restart-rules.ts'
import { decideSandbox } from '../pod-worker/sandbox-decision.ts'
import type { FailWords } from '../pod-worker/worker-phase.ts'
import type { ResizeState } from '../resize/resizes.ts'
import * as conditions from './conditions.ts'
import { containerStatuses } from './container-statuses.ts'
import { podPhase } from './phase.ts'
import { withReadiness } from './readiness.ts'

const POD_MESSAGE_BYTES = 12 * 1024

export interface StatusFacts {
  /** The node's addresses, primary first. */
  hostIPs: readonly string[]
  /** Scheme of container ids. */
  runtimeName: string
  /** Nothing of the pod will start any more: all its containers have ended, or will without being replaced. */
  terminal: boolean
  /** Of an in-place resize. */
  resize?: ResizeState
  /** Fails the pod with these words: deadline, eviction, admission. */
  failWith?: FailWords
}

/** `previous` is what the kubelet published last; after a restart, what the API shows. */
export function computeStatus(
  pod: Pod,
  observed: ObservedPod,
  previous: PodStatus,
  facts: StatusFacts,
  now: number,
): PodStatus {
  const of = (kind: 'init' | 'app' | 'ephemeral', old: readonly ContainerStatus[] = []) =>
    containerStatuses(kind, { pod, observed, previous: old, runtimeName: facts.runtimeName }).map(status =>
      withinShare(status, share),
    )
  const share = messageShare(pod)
  const rawInits = of('init', previous.initContainerStatuses)
  const rawApps = of('app', previous.containerStatuses)
  const inits = withReadiness(pod, observed, rawInits)
  const apps = withReadiness(pod, observed, rawApps)
  const ephemerals = of('ephemeral', previous.ephemeralContainerStatuses)
  const phase = settledPhase(pod, observed, previous, facts, [
    ...rawInits.map(startedBefore),
    ...rawApps.map(startedBefore),
  ])
  const words = facts.failWith ?? (phase === previous.phase ? reasonOf(previous, pod.status) : {})
  const generation = pod.metadata.generation
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    phase,
    conditions: allConditions(pod, observed, previous, [...inits, ...apps], phase, facts, now),
    ...(words.message && { message: words.message }),
    ...(words.reason && { reason: words.reason }),
    ...addresses(pod, observed, previous, facts),
    startTime: previous.startTime ?? pod.status.startTime ?? apiTime(now),
    ...(inits.length > 0 && { initContainerStatuses: inits }),
    containerStatuses: apps,
    qosClass: pod.status.qosClass ?? qosClass(pod.spec),
    ...(ephemerals.length > 0 && { ephemeralContainerStatuses: ephemerals }),
    ...podLevelResources(pod),
    ...kept(pod.status),
  }

  function startedBefore(status: ContainerStatus): ContainerStatus {
    return [...inits, ...apps].find(({ name }) => name === status.name) ?? status
  }
}

/** Of pods that have resources of their own beside their containers'. */
function podLevelResources({ spec: { resources } }: Pod): Partial<PodStatus> {
  if (!resources) return {}
  return { ...(resources.requests && { allocatedResources: resources.requests }), resources }
}

/** Fields of the status that others write. */
function kept(status: PodStatus): Partial<PodStatus> {
  const { nominatedNodeName, resize, resourceClaimStatuses, extendedResourceClaimStatus } = status
  return {
    ...(nominatedNodeName && { nominatedNodeName }),
    ...(resize && { resize }),
    ...(resourceClaimStatuses && { resourceClaimStatuses }),
    ...(extendedResourceClaimStatus && { extendedResourceClaimStatus }),
  }
}

/** Terminal phases never change, whoever wrote them. */
function settledPhase(
  pod: Pod,
  observed: ObservedPod,
  previous: PodStatus,
  facts: StatusFacts,
  statuses: ContainerStatus[],
): PodPhase {
  if (isTerminal(pod.status.phase)) return pod.status.phase!
  if (isTerminal(previous.phase)) return previous.phase!
  if (facts.failWith) return 'Failed'
  const appEverActive = pod.spec.containers.some(({ name }) => {
    const state = newestOf(observed, name)?.state
    return state === 'created' || state === 'running'
  })
  return podPhase({ pod, statuses, terminal: facts.terminal, appEverActive })
}

/** Bytes of one container's last words: all of a pod's share 12 KiB. Upstream: status_manager.go normalizeStatus. */
function messageShare({ spec }: Pod): number {
  const { initContainers = [], containers, ephemeralContainers = [] } = spec
  return Math.floor(
    POD_MESSAGE_BYTES / (initContainers.length + containers.length + ephemeralContainers.length),
  )
}

function withinShare(status: ContainerStatus, bytes: number): ContainerStatus {
  const cut = (state: ContainerState): ContainerState => {
    const text = Buffer.from(state.terminated?.message ?? '')
    if (text.length <= bytes) return state
    return { terminated: { ...state.terminated!, message: text.subarray(0, bytes).toString() } }
  }
  return { ...status, state: cut(status.state), lastState: cut(status.lastState) }
}

export const isTerminal = (phase: PodPhase | undefined): boolean =>
  phase === 'Succeeded' || phase === 'Failed'

function reasonOf(previous: PodStatus, api: PodStatus): { reason?: string; message?: string } {
  return { reason: previous.reason || api.reason, message: previous.message || api.message }
}

function addresses(
  pod: Pod,
  observed: ObservedPod,
  previous: PodStatus,
  { hostIPs }: StatusFacts,
): Partial<PodStatus> {
  const host: Partial<PodStatus> =
    hostIPs.length > 0 ? { hostIP: hostIPs[0]!, hostIPs: hostIPs.map(ip => ({ ip })) } : {}
  const own = pod.spec.hostNetwork ? hostIPs : podIPs(observed, previous)
  return { ...host, ...(own.length > 0 && { podIP: own[0]!, podIPs: own.map(ip => ({ ip })) }) }
}

/** A pod keeps showing the addresses it had when its sandbox has been torn down. */
function podIPs({ sandboxes }: ObservedPod, previous: PodStatus): string[] {
  const current = sandboxes[0]
  if (current?.ready && current.ips.length > 0) return current.ips
  return previous.podIPs?.map(({ ip }) => ip) ?? []
}

function allConditions(
  pod: Pod,
  observed: ObservedPod,
  previous: PodStatus,
  statuses: ContainerStatus[],
  phase: PodPhase,
  { failWith, resize = {} }: StatusFacts,
  now: number,
): PodCondition[] {
  const foreign = (pod.status.conditions ?? []).filter(
    ({ type }) =>
      !conditions.KUBELET_CONDITIONS.has(type) && !(failWith?.disruption && type === 'DisruptionTarget'),
  )
  const ofContainers = conditions.containersReady(pod, statuses, phase)
  const own: conditions.Verdict[] = [
    conditions.readyToStartContainers(!decideSandbox(pod, observed).needed),
    wasInitialized(observed, previous)
      ? { type: 'Initialized', status: 'True' }
      : conditions.initialized(pod, statuses, phase),
    conditions.ready(pod, ofContainers, foreign),
    ofContainers,
    { type: 'PodScheduled', status: 'True' },
    ...(failWith?.disruption
      ? [conditions.disrupted(failWith.disruption === true ? failWith.message : failWith.disruption)]
      : []),
    ...conditions.resizing(resize),
    ...(hasRestartAllRule(pod.spec) ? [conditions.allContainersRestarting(observed.restartingAll)] : []),
  ]
  return [...foreign, ...own.map(verdict => dated(verdict, pod, previous, now))]
}

/** While all containers restart in place, the pod stays initialised. */
const wasInitialized = (observed: ObservedPod, previous: PodStatus) =>
  observed.restartingAll &&
  previous.conditions?.some(({ type, status }) => type === 'Initialized' && status === 'True')

function dated(verdict: conditions.Verdict, pod: Pod, previous: PodStatus, now: number): PodCondition {
  const { type, status, reason, message, generation = pod.metadata.generation } = verdict
  const earlier = [...(previous.conditions ?? []), ...(pod.status.conditions ?? [])].find(
    old => old.type === type,
  )
  const same = earlier?.status === status && earlier.lastTransitionTime
  return {
    type,
    ...(generation !== undefined && { observedGeneration: generation }),
    status,
    lastTransitionTime: same ? earlier.lastTransitionTime! : apiTime(now),
    ...(reason && { reason }),
    ...(message && { message }),
  }
}
