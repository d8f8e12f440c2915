// The status of a pod that has ended, and of one that is about to. Upstream: status_manager.go TerminatePod, mergePodStatus.
import type { ContainerStatus, Pod, PodStatus } from '../../api/types/core-v1.ts'
import { isTerminal } from './compute-status.ts'

const LOST = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
}

/** A terminal phase is not told while containers may still run: until then the phase before stands. */
export function withheldPhase(status: PodStatus, previous: PodStatus): PodStatus {
  if (!isTerminal(status.phase) || isTerminal(previous.phase)) return status
  const { reason: _reason, message: _message, ...rest } = status
  return {
    ...rest,
    phase: previous.phase ?? 'Pending',
    ...(previous.reason && { reason: previous.reason }),
    ...(previous.message && { message: previous.message }),
  }
}

/** Containers of which nothing is known have failed; a pod that ended without a verdict has failed. */
export function finalStatus(pod: Pod, status: PodStatus): PodStatus {
  const inits = status.initContainerStatuses ?? []
  const begun = inits.findLastIndex(
    ({ state, lastState }) => state.running || state.terminated || lastState.terminated,
  )
  const initialized =
    inits.length === 0 || anyAppRan(status) || inits.every(({ ready, started }) => ready || started)
  const settled: PodStatus = {
    ...status,
    ...(inits.length > 0 && {
      initContainerStatuses: inits.map((one, index) => (index <= begun ? ended(one) : one)),
    }),
    containerStatuses: (status.containerStatuses ?? []).map(one =>
      initialized ? ended(one) : notRunning(one),
    ),
  }
  if (isTerminal(settled.phase)) return settled
  return { ...settled, phase: pod.status.phase && isTerminal(pod.status.phase) ? pod.status.phase : 'Failed' }
}

const anyAppRan = ({ containerStatuses = [] }: PodStatus) =>
  containerStatuses.some(({ state, lastState }) => state.running || state.terminated || lastState.terminated)

function ended(status: ContainerStatus): ContainerStatus {
  return notRunning(status.state.terminated ? status : { ...status, state: { terminated: LOST } })
}

/** An ended container is neither ready nor started; a finished init container stays ready. */
function notRunning(status: ContainerStatus): ContainerStatus {
  return status.state.terminated && status.state.terminated.exitCode !== 0
    ? { ...status, ready: false, started: false }
    : status
}
