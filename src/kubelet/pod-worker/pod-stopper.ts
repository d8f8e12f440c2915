// Carries out decide-stopping's actions. Each is only set going: what ends wakes the worker, which decides again.
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { findContainer } from '../pod-name.ts'
import { runtimeErrorText } from '../runtime-view/runtime-error-text.ts'
import { isGone } from '../runtime-view/runtime-view.ts'
import type { Stopping, StoppingAction, StoppingContainer } from './decide-stopping.ts'
import type { ObservedPod } from './observed-pod.ts'
import type { WorkerParts } from './worker-parts.ts'

const STOP_RETRY_MS = 1_000

export interface StopTarget {
  pod: Pod
  observed: ObservedPod
  podIP: string | undefined
  /** The pod's stop is recorded by replacing this value. */
  get(): Stopping
  set(stopping: Stopping): void
  wake(): void
  signal: AbortSignal
}

/** Everything but checkAgain and stopSandboxes. */
export function performStopping(action: StoppingAction, target: StopTarget, parts: WorkerParts): void {
  switch (action.do) {
    case 'announce':
      announce(action.name, action.id, target, parts)
      break
    case 'runPreStop':
      void runPreStop(action.name, action.id, action.withinSeconds, target, parts)
      break
    case 'stopContainer':
      void stop(action.name, action.id, action.gracePeriodSeconds, target, parts)
      break
    case 'stopSandboxes':
    case 'checkAgain':
      break
  }
}

function record(target: StopTarget, id: string, state: StoppingContainer): void {
  const stopping = target.get()
  target.set({ ...stopping, containers: { ...stopping.containers, [id]: state } })
}

function announce(name: string, id: string, target: StopTarget, { events }: WorkerParts): void {
  events.tell(target.pod, 'Normal', 'Killing', `Stopping container ${name}`, name)
  const hook = findContainer(target.pod, name)?.lifecycle?.preStop
  const due = hook && target.get().gracePeriodSeconds > 0
  record(target, id, { preStop: due ? 'due' : 'done' })
}

async function runPreStop(
  name: string,
  containerId: string,
  withinSeconds: number,
  target: StopTarget,
  { hooks, events, clock, log }: WorkerParts,
): Promise<void> {
  record(target, containerId, { preStop: 'running' })
  const container = findContainer(target.pod, name) as Container
  const ended = new AbortController()
  const signal = AbortSignal.any([target.signal, ended.signal])
  const hook = hooks.run(
    container.lifecycle!.preStop!,
    { pod: target.pod, container, containerId, podIP: target.podIP },
    withinSeconds,
    signal,
  )
  const timeout = clock.sleep(withinSeconds * 1000, signal).then(() => 'timeout' as const)
  try {
    if ((await Promise.race([hook, timeout])) === 'timeout') {
      log.info(
        { pod: target.pod.metadata.name, container: name },
        'a preStop hook did not end within the grace period',
      )
    }
  } catch (error) {
    if (target.signal.aborted) return
    log.info({ error, pod: target.pod.metadata.name, container: name }, 'a preStop hook failed')
    events.tell(target.pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', name)
  } finally {
    hook.catch(() => {})
    timeout.catch(() => {})
    ended.abort()
  }
  const state = target.get().containers[containerId]
  if (state?.preStop === 'running') record(target, containerId, { ...state, preStop: 'done' })
  target.wake()
}

async function stop(
  name: string,
  containerId: string,
  gracePeriodSeconds: number,
  target: StopTarget,
  { runtime, events, clock, log }: WorkerParts,
): Promise<void> {
  const killAt = clock.now() + gracePeriodSeconds * 1000
  record(target, containerId, { preStop: 'done', killAt })
  try {
    await runtime.stopContainer({ containerId, timeout: gracePeriodSeconds }, target.signal)
  } catch (error) {
    if (target.signal.aborted) return
    if (!isGone(error)) {
      log.warn({ error, container: containerId }, 'a container could not be stopped; trying again')
      const text = `error killing pod: failed to "KillContainer" for "${name}" with KillContainerError: ${JSON.stringify(runtimeErrorText(error))}`
      events.tell(target.pod, 'Warning', 'FailedKillPod', text)
      await clock.sleep(STOP_RETRY_MS, target.signal).catch(() => {})
      // As if nothing had been tried, unless a shorter grace has been asked for meanwhile.
      if (target.get().containers[containerId]?.killAt === killAt)
        record(target, containerId, { preStop: 'done' })
    }
  }
  target.wake()
}
