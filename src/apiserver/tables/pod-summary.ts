// READY, STATUS and RESTARTS of a pod, as a pure judgement. Upstream: printers.go printPod.
import { humanDuration } from '../../api/duration.ts'
import type { ContainerStatus, Pod } from '../../api/types/core-v1.ts'

export interface PodSummary {
  ready: string
  status: string
  restarts: string
}

interface Tally {
  reason: string
  ready: number
  restarts: number
  /** Epoch milliseconds of the newest restart. */
  lastRestart: number
}

export function summarizePod(pod: Pod, now: number): PodSummary {
  const sidecars = sidecarNames(pod)
  const start = { reason: initialReason(pod), ready: 0, restarts: 0, lastRestart: 0 }
  const { tally: afterInit, sidecarTally, initializing } = walkInitContainers(pod, sidecars, start)
  const started = !initializing || hasCondition(pod, 'Initialized')
  const tally = started
    ? walkContainers(pod, { ...sidecarTally, reason: afterInit.reason, ready: afterInit.ready })
    : afterInit
  return {
    ready: `${tally.ready}/${pod.spec.containers.length + sidecars.size}`,
    status: withDeletion(pod, tally.reason),
    restarts: formatRestarts(tally, now),
  }
}

function initialReason({ status }: Pod): string {
  const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.reason === 'SchedulingGated') return 'SchedulingGated'
  return status.reason || (status.phase ?? '')
}

function sidecarNames({ spec }: Pod): Set<string> {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return new Set(sidecars.map(({ name }) => name))
}

function walkInitContainers(pod: Pod, sidecars: Set<string>, start: Tally) {
  const total = pod.spec.initContainers?.length ?? 0
  let tally = start
  let sidecarTally = start
  for (const [index, container] of (pod.status.initContainerStatuses ?? []).entries()) {
    tally = addRestarts(tally, container)
    const isSidecar = sidecars.has(container.name)
    if (isSidecar) sidecarTally = addRestarts(sidecarTally, container)
    if (container.state?.terminated?.exitCode === 0) continue
    if (isSidecar && container.started) {
      if (container.ready) tally = { ...tally, ready: tally.ready + 1 }
      continue
    }
    const reason = initReason(container, index, total)
    return { tally: { ...tally, reason }, sidecarTally, initializing: true }
  }
  return { tally, sidecarTally, initializing: false }
}

function initReason({ state }: ContainerStatus, index: number, total: number): string {
  if (state?.terminated) return `Init:${terminatedReason(state.terminated)}`
  const waiting = state?.waiting?.reason
  return waiting && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${index}/${total}`
}

function terminatedReason({
  reason,
  signal,
  exitCode,
}: {
  reason?: string
  signal?: number
  exitCode: number
}) {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)
}

/** From the last container to the first, so that the first one's reason stays. */
function walkContainers(pod: Pod, start: Tally): Tally {
  let tally = start
  let hasRunning = false
  let errorReason = ''
  for (const container of (pod.status.containerStatuses ?? []).toReversed()) {
    tally = addRestarts(tally, container)
    const { waiting, terminated, running } = container.state ?? {}
    if (waiting?.reason) tally = { ...tally, reason: waiting.reason }
    else if (terminated) {
      tally = { ...tally, reason: terminatedReason(terminated) }
      if (terminated.exitCode !== 0) errorReason = tally.reason
    } else if (container.ready && running) {
      hasRunning = true
      tally = { ...tally, ready: tally.ready + 1 }
    }
  }
  return tally.reason === 'Completed'
    ? { ...tally, reason: completedReason(pod, hasRunning, errorReason) }
    : tally
}

function completedReason(pod: Pod, hasRunning: boolean, errorReason: string): string {
  if (hasRunning && hasCondition(pod, 'Ready')) return 'Running'
  return errorReason || (hasRunning ? 'NotReady' : 'Completed')
}

function withDeletion({ metadata, status }: Pod, reason: string): string {
  if (!metadata.deletionTimestamp) return reason
  if (status.reason === 'NodeLost') return 'Unknown'
  return status.phase === 'Succeeded' || status.phase === 'Failed' ? reason : 'Terminating'
}

function hasCondition({ status }: Pod, wanted: string): boolean {
  return (
    status.conditions?.some(condition => condition.type === wanted && condition.status === 'True') ?? false
  )
}

function addRestarts(tally: Tally, { restartCount, lastState }: ContainerStatus): Tally {
  const finishedAt = lastState?.terminated?.finishedAt
  const finished = finishedAt ? Date.parse(finishedAt) : 0
  return {
    ...tally,
    restarts: tally.restarts + restartCount,
    lastRestart: Math.max(tally.lastRestart, finished),
  }
}

function formatRestarts({ restarts, lastRestart }: Tally, now: number): string {
  if (restarts === 0 || lastRestart === 0) return String(restarts)
  return `${restarts} (${humanDuration(now - lastRestart)} ago)`
}
