// Stops one container while its pod goes on: it is replaced, or given up. Upstream: kuberuntime killContainer.
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { findContainer } from '../pod-name.ts'
import { isGone } from '../runtime-view/runtime-view.ts'
import type { Action } from './actions.ts'
import { MINIMUM_STOP_SECONDS } from './decide-stopping.ts'
import type { WorkerParts } from './worker-parts.ts'

type Kill = Action & { do: 'killContainer' }

/** Resolves when it has ended. A restart of all containers grants neither hook nor grace. */
export async function killContainer(
  { name, id, message, why }: Kill,
  pod: Pod,
  podIP: string | undefined,
  parts: WorkerParts,
  signal: AbortSignal,
): Promise<void> {
  const { events, runtime, clock } = parts
  const container = findContainer(pod, name) as Container | undefined
  events.tell(pod, 'Normal', 'Killing', message, name)
  const grace = killGrace(pod, container, why)
  const startedAt = clock.now()
  if (container?.lifecycle?.preStop && grace > 0)
    await preStop(pod, container, id, podIP, grace, parts, signal)
  const left = Math.ceil(grace - (clock.now() - startedAt) / 1000)
  const timeout = Math.max(MINIMUM_STOP_SECONDS, left)
  await runtime.stopContainer({ containerId: id, timeout }, signal).catch(error => {
    if (!isGone(error)) throw error
  })
}

/** Waits for the hook as long as the grace lasts. */
async function preStop(
  pod: Pod,
  container: Container,
  containerId: string,
  podIP: string | undefined,
  grace: number,
  { hooks, events, clock }: WorkerParts,
  signal: AbortSignal,
): Promise<void> {
  const ending = new AbortController()
  const within = AbortSignal.any([signal, ending.signal])
  const hook = hooks
    .run(container.lifecycle!.preStop!, { pod, container, containerId, podIP }, grace, within)
    .catch(() => {
      if (!within.aborted)
        events.tell(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', container.name)
    })
  await Promise.race([hook, clock.sleep(grace * 1000, within).catch(() => {})])
  ending.abort()
  signal.throwIfAborted()
}

/** A probe may set a grace of its own; a pod in deletion has one that counts before all. */
function killGrace(pod: Pod, container: Container | undefined, why: Kill['why']): number {
  if (why === 'restartAll') return 0
  const { deletionGracePeriodSeconds } = pod.metadata
  if (deletionGracePeriodSeconds !== undefined) return deletionGracePeriodSeconds
  const probe =
    why === 'liveness' ? container?.livenessProbe : why === 'startup' ? container?.startupProbe : undefined
  return probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
}
