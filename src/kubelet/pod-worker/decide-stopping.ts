// How a pod's containers are brought down: hooks, order of sidecars, what is left of the grace (section 5.2).
// All containers stop in parallel; decisions are taken anew whenever a hook or a container ends.
// Upstream: killContainer and terminationOrdering in kuberuntime.

import { legacySidecars } from '../../api/pod/legacy-sidecar.ts'
import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { ObservedContainer, ObservedPod } from './observed-pod.ts'

/** Between TERM and KILL there are at least these many seconds, whatever hooks and waiting have used up. */
export const MINIMUM_STOP_SECONDS = 2

/** What has been done to one container so far, by container id. */
export interface StoppingContainer {
  preStop: 'due' | 'running' | 'done'
  /** The runtime has been told; set to the moment (epoch ms) when it will kill at the latest. */
  killAt?: number
}

export interface Stopping {
  /** Epoch milliseconds. */
  startedAt: number
  gracePeriodSeconds: number
  containers: Readonly<Record<string, StoppingContainer>>
}

export type StoppingAction =
  | { do: 'announce'; name: string; id: string }
  | { do: 'runPreStop'; name: string; id: string; withinSeconds: number }
  | { do: 'stopContainer'; name: string; id: string; gracePeriodSeconds: number }
  | { do: 'stopSandboxes' }
  | { do: 'checkAgain'; at: number }

/** Empty while everything that can be done is under way. */
export function decideStopping(
  pod: Pod,
  observed: ObservedPod,
  stopping: Stopping,
  now: number,
): StoppingAction[] {
  const running = observed.containers.filter(({ state }) => state === 'running' || state === 'unknown')
  if (running.length === 0) return [{ do: 'stopSandboxes' }]
  return running.flatMap(container => decideOne(pod, running, container, stopping, now))
}

function decideOne(
  pod: Pod,
  running: readonly ObservedContainer[],
  container: ObservedContainer,
  stopping: Stopping,
  now: number,
): StoppingAction[] {
  const { name, id } = container
  const state = stopping.containers[id]
  const end = stopping.startedAt + stopping.gracePeriodSeconds * 1000
  if (!state) return [{ do: 'announce', name, id }]
  if (state.killAt !== undefined) {
    // The grace was shortened since: tell the runtime again.
    const seconds = Math.max(MINIMUM_STOP_SECONDS, wholeSeconds(end - now))
    return now + seconds * 1000 < state.killAt - 1000
      ? [{ do: 'stopContainer', name, id, gracePeriodSeconds: seconds }]
      : []
  }
  if (state.preStop === 'due') {
    return [{ do: 'runPreStop', name, id, withinSeconds: Math.max(0, Math.ceil((end - now) / 1000)) }]
  }
  if (state.preStop === 'running' && now < end) return [{ do: 'checkAgain', at: end }]
  if (mustWait(pod, running, container) && now < end) return [{ do: 'checkAgain', at: end }]
  const seconds = Math.max(MINIMUM_STOP_SECONDS, wholeSeconds(end - now))
  return [{ do: 'stopContainer', name, id, gracePeriodSeconds: seconds }]
}

/** A sidecar outlives the apps and the sidecars that come after it in the spec. */
function mustWait(pod: Pod, running: readonly ObservedContainer[], container: ObservedContainer): boolean {
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name)
  const own = sidecars.indexOf(container.name)
  if (own < 0) return servesOthers(pod, running, container)
  const outlived = new Set([...pod.spec.containers.map(({ name }) => name), ...sidecars.slice(own + 1)])
  return running.some(({ name }) => outlived.has(name))
}

/** A sidecar of the old form outlives the app containers that are none. */
function servesOthers(pod: Pod, running: readonly ObservedContainer[], { name }: ObservedContainer): boolean {
  const served = legacySidecars(pod.spec).map(sidecar => sidecar.name)
  if (!served.includes(name)) return false
  const others = pod.spec.containers.filter(app => !served.includes(app.name))
  return others.some(other => running.some(one => one.name === other.name))
}

/** A part of a second that is used counts whole when it is less than the grace: Go truncates the elapsed time. */
const wholeSeconds = (ms: number) => Math.ceil(ms / 1000)

export interface GraceInputs {
  /** deletionGracePeriodSeconds, once the pod is deleted. */
  deletion?: number
  /** An eviction's or a forced kill's. */
  override?: number
}

/** What the pod is granted: the smallest override, else the spec's; at least 1 s. */
export function gracePeriodOf(pod: Pod, { deletion, override }: GraceInputs): number {
  const asked = [deletion, override].filter(seconds => seconds !== undefined)
  const wanted = asked.length > 0 ? Math.min(...asked) : (pod.spec.terminationGracePeriodSeconds ?? 30)
  return Math.max(1, wanted)
}

/**
 * With a grace that was granted since, and counts from when an end was first asked for (epoch ms): a pod that was ending
 * by itself may have begun long before. The end never moves further away.
 */
export function regranted(stopping: Stopping, seconds: number, askedAt = stopping.startedAt): Stopping {
  const { startedAt, gracePeriodSeconds } = stopping
  const sinceStart = (Math.max(askedAt, startedAt) - startedAt) / 1000
  return { ...stopping, gracePeriodSeconds: Math.min(gracePeriodSeconds, sinceStart + seconds) }
}
