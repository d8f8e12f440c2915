// The pod's phase from its containers' statuses. Upstream: kubelet_pods.go getPhase.

import { isLegacySidecar } from '../../api/pod/legacy-sidecar.ts'
import { isSidecar } from '../../api/pod/sidecar.ts'
import type {
  Container,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  PodPhase,
} from '../../api/types/core-v1.ts'
import { restartsAfter } from '../pod-worker/restart-rules.ts'
import { RESTARTING_ALL } from './container-statuses.ts'

export interface PhaseInputs {
  pod: Pod
  /** Of init and app containers. */
  statuses: readonly ContainerStatus[]
  /** The pod will not start anything any more. */
  terminal: boolean
  /** Some app container is created or running, or ran in this sandbox. */
  appEverActive: boolean
}

interface Counts {
  pendingInit: number
  failedForGood: number
  pendingSidecar: number
  running: number
  waiting: number
  stopped: number
  stoppedForGood: number
  succeeded: number
  unknown: number
}

export function podPhase(inputs: PhaseInputs): PodPhase {
  const counts = count(inputs)
  if (counts.failedForGood > 0) return 'Failed'
  if (counts.pendingInit > 0 || (counts.pendingSidecar > 0 && !inputs.appEverActive)) return 'Pending'
  if (counts.waiting > 0) return 'Pending'
  if (counts.unknown > 0) return 'Pending'
  if (counts.running > 0) return 'Running'
  if (counts.stopped === 0) return 'Pending'
  if (!inputs.terminal && counts.stopped !== counts.stoppedForGood) return 'Running'
  return counts.stopped === counts.succeeded ? 'Succeeded' : 'Failed'
}

function count({ pod, statuses }: PhaseInputs): Counts {
  const counts: Counts = {
    pendingInit: 0,
    failedForGood: 0,
    pendingSidecar: 0,
    running: 0,
    waiting: 0,
    stopped: 0,
    stoppedForGood: 0,
    succeeded: 0,
    unknown: 0,
  }
  const statusOf = (name: string) => statuses.find(status => status.name === name)
  for (const init of pod.spec.initContainers ?? []) {
    if (isSidecar(init)) countSidecar(counts, statusOf(init.name))
    else countInit(counts, pod, init, statusOf(init.name))
  }
  for (const app of pod.spec.containers) {
    if (isLegacySidecar(app, pod.spec) && exitOf(statusOf(app.name))) continue
    countApp(counts, pod, app, statusOf(app.name))
  }
  return counts
}

function countInit(counts: Counts, pod: Pod, init: Container, status: ContainerStatus | undefined): void {
  const exit = exitOf(status)
  if (!exit) counts.pendingInit++
  else if (exit.exitCode !== 0 && !runsAgain(pod, init, exit)) counts.failedForGood++
}

/** Sidecars that have ended count for nothing. */
function countSidecar(counts: Counts, status: ContainerStatus | undefined): void {
  if (status?.state.running) {
    counts.running++
    if (!status.started) counts.pendingSidecar++
  } else if (status?.state.waiting && !status.lastState.terminated) {
    counts.pendingSidecar++
    counts.waiting++
  } else if (!exitOf(status)) {
    counts.unknown++
  }
}

function countApp(counts: Counts, pod: Pod, app: Container, status: ContainerStatus | undefined): void {
  const exit = exitOf(status)
  if (exit) {
    counts.stopped++
    if (!runsAgain(pod, app, exit)) counts.stoppedForGood++
    if (status?.state.terminated?.exitCode === 0) counts.succeeded++
  } else if (status?.state.running) counts.running++
  else if (status?.state.waiting) counts.waiting++
  else counts.unknown++
}

/** The exit that counts: the present one, or the last one of a container that waits to run again. */
function exitOf(status: ContainerStatus | undefined): ContainerStateTerminated | undefined {
  return status?.state.terminated ?? (status?.state.waiting && status.lastState.terminated)
}

const runsAgain = (pod: Pod, container: Container, exit: ContainerStateTerminated) =>
  exit.reason === RESTARTING_ALL || restartsAfter(container, pod.spec, exit.exitCode)
