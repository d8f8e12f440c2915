// The pod worker's judgement while the pod is to run. Nothing here waits, reads a clock or touches the runtime.
// Termination has its own judgement (decide-stopping.ts). Upstream: kuberuntime computePodActions and SyncPod.

import { goDuration } from '../../api/duration.ts'
import { isLegacySidecar } from '../../api/pod/legacy-sidecar.ts'
import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { describePod } from '../pod-name.ts'
import { resizeActions } from '../resize/resize-actions.ts'
import type { Action, ContainerKind } from './actions.ts'
import { backOffKey, heldBackUntil } from './crash-back-off.ts'
import { decideApps } from './decide-apps.ts'
import { decideInit, type Kill } from './decide-init.ts'
import { newestOf, type ObservedPod } from './observed-pod.ts'
import { hasRestartAllRule, mayRestart, restartAllSource } from './restart-rules.ts'
import { decideSandbox } from './sandbox-decision.ts'

/** Returns the steps that bring the observed pod closer to its spec, in the order to take them; empty when it is there. */
export function decide(pod: Pod, observed: ObservedPod, now: number): Action[] {
  const sandbox = decideSandbox(pod, observed)
  if (sandbox.needed) return decideNewSandbox(pod, observed, sandbox, now)
  if (hasRestartAllRule(pod.spec)) {
    const source = restartAllSource(pod, observed)
    if (source !== undefined) return decideRestartAll(pod, observed, source)
  }
  const steps = decideContainers(pod, observed, now)
  return [
    ...decideEphemeral(pod, observed, now),
    ...steps,
    ...resizeActions(pod, observed, steps),
    ...removeRemains(pod, observed),
  ]
}

function decideContainers(pod: Pod, observed: ObservedPod, now: number): Action[] {
  const init = decideInit(pod, observed)
  if (init.failed) return killPod(observed)
  if (!init.initialized) {
    return [
      ...kills(init.kill),
      ...pruneInits(pod, observed, init.start),
      ...starts(pod, observed, init.start, now),
    ]
  }
  const apps = decideApps(pod, observed)
  // Sidecars do not keep a finished pod alive: their restarts are dropped too.
  if (apps.kept === 0 && apps.start.length === 0) return [...kills(apps.kill), ...killPod(observed)]
  const start = [...init.start, ...apps.start]
  const end: Action[] = observed.restartingAll && start.length === 0 ? [{ do: 'endRestartAll' }] : []
  return [
    ...kills([...init.kill, ...apps.kill]),
    ...pruneInits(pod, observed, init.start),
    ...starts(pod, observed, start, now),
    ...end,
  ]
}

/** Section 1.3: what is lost with a sandbox runs again, init containers from the first. */
function decideNewSandbox(
  pod: Pod,
  observed: ObservedPod,
  sandbox: { attempt: number; id?: string },
  now: number,
): Action[] {
  const over = killPod(observed)
  if (!mayRestart(pod.spec) && sandbox.attempt !== 0 && observed.containers.length > 0) return over
  const apps = pod.spec.containers.filter(
    app => !(pod.spec.restartPolicy === 'OnFailure' && hasSucceeded(app, observed)),
  )
  const everCreated = pod.spec.containers.some(({ name }) => newestOf(observed, name))
  if (apps.length === 0 && everCreated) return over
  const inits = pod.spec.initContainers ?? []
  const sidecars = apps.filter(app => isLegacySidecar(app, pod.spec))
  const first = inits.length > 0 ? inits.slice(0, 1) : sidecars.length > 0 ? sidecars : apps
  const ephemeral = decideEphemeral(pod, observed, now)
  return [
    ...(sandbox.id === undefined ? [] : over),
    ...(sandbox.id === undefined ? [] : purgeInits(pod, observed)),
    {
      do: 'createSandbox',
      attempt: sandbox.attempt,
      ...(sandbox.id !== undefined && { replaces: sandbox.id }),
    },
    ...ephemeral,
    ...starts(
      pod,
      observed,
      first.map(({ name }) => name),
      now,
    ),
  ]
}

const hasSucceeded = (app: Container, observed: ObservedPod) => {
  const newest = newestOf(observed, app.name)
  return newest?.state === 'exited' && newest.exitCode === 0
}

/** Nothing left to kill is nothing to do. */
function killPod(observed: ObservedPod): Action[] {
  const running = observed.containers.some(({ state }) => state === 'running' || state === 'unknown')
  return running || observed.sandboxes.some(({ ready }) => ready) ? [{ do: 'killPod' }] : []
}

/** Ephemeral containers start as soon as there is a sandbox, whatever the init containers do, and once only. */
function decideEphemeral(pod: Pod, observed: ObservedPod, now: number): Action[] {
  return (pod.spec.ephemeralContainers ?? [])
    .filter(({ name }) => !newestOf(observed, name) && (observed.startFailures[name]?.retryAt ?? 0) <= now)
    .map(({ name }) => ({ do: 'startContainer', name, kind: 'ephemeral' }))
}

const kills = (list: readonly Kill[]): Action[] =>
  list.map(({ container, message, why }) => ({
    do: 'killContainer',
    name: container.name,
    id: container.id,
    message,
    why,
  }))

/** Before init containers start, only the newest dead one of each name is kept (pruneInitContainersBeforeStart). */
function pruneInits(pod: Pod, observed: ObservedPod, start: readonly string[]): Action[] {
  if (start.length === 0) return []
  return (pod.spec.initContainers ?? []).flatMap(({ name }) =>
    observed.containers
      .filter(container => container.name === name)
      .slice(1)
      .filter(({ state }) => state === 'exited' || state === 'unknown')
      .map(({ id }): Action => ({ do: 'removeContainer', name, id })),
  )
}

/** One dead container is kept per name, for its logs and lastState; sandboxes go with their last container. */
function removeRemains(pod: Pod, observed: ObservedPod): Action[] {
  const inits = new Set(
    (pod.spec.initContainers ?? []).filter(init => !isSidecar(init)).map(({ name }) => name),
  )
  const seen = new Set<string>()
  const containers = observed.containers.filter(({ name, state }) => {
    if (state !== 'exited' || inits.has(name)) return false
    if (seen.has(name)) return true
    seen.add(name)
    return false
  })
  const sandboxes = observed.sandboxes
    .slice(1)
    .filter(({ id, ready }) => !ready && !observed.containers.some(({ sandboxId }) => sandboxId === id))
  return [
    ...containers.map(({ name, id }): Action => ({ do: 'removeContainer', name, id })),
    ...sandboxes.map(({ id }): Action => ({ do: 'removeSandbox', id })),
  ]
}

/** With the old sandbox go all records of init containers (purgeInitContainers). */
function purgeInits(pod: Pod, observed: ObservedPod): Action[] {
  const names = new Set(pod.spec.initContainers?.map(({ name }) => name))
  return observed.containers
    .filter(({ name }) => names.has(name))
    .map(({ name, id }) => ({ do: 'removeContainer', name, id }))
}

/** Section 1.7: all containers go at once, without hooks; the one that asked for it is removed last. */
function decideRestartAll(pod: Pod, observed: ObservedPod, source: string): Action[] {
  const ephemeral = new Set(pod.spec.ephemeralContainers?.map(({ name }) => name))
  const mine = observed.containers.filter(({ name }) => !ephemeral.has(name))
  const message = 'container exited with restart policy rule'
  const ordered = [
    ...mine.filter(({ name }) => name !== source),
    ...mine.filter(({ name }) => name === source),
  ]
  return [
    { do: 'beginRestartAll', source },
    ...mine
      .filter(({ state }) => state === 'running')
      .map(({ name, id }): Action => ({ do: 'killContainer', name, id, message, why: 'restartAll' })),
    ...ordered.map(({ name, id }): Action => ({ do: 'removeContainer', name, id, keepLogs: true })),
  ]
}

/** Starts as far as the back-off allows. A regular init container that must wait holds back all that follows. */
function starts(pod: Pod, observed: ObservedPod, names: readonly string[], now: number): Action[] {
  const actions: Action[] = []
  let next = Number.POSITIVE_INFINITY
  for (const name of names) {
    const { container, kind } = locate(pod, name)
    const held = holdBack(pod, container, observed, now)
    const retryAt = observed.startFailures[name]?.retryAt
    if (!held && retryAt !== undefined && retryAt > now) {
      next = Math.min(next, retryAt)
      if (kind === 'init') break
      continue
    }
    if (!held) {
      actions.push({ do: 'startContainer', name, kind })
      continue
    }
    actions.push({ do: 'holdBack', name, message: held.message })
    next = Math.min(next, held.until)
    if (kind === 'init') break
  }
  if (next < Number.POSITIVE_INFINITY) actions.push({ do: 'checkAgain', at: next })
  return actions
}

function holdBack(pod: Pod, container: Container, observed: ObservedPod, now: number) {
  const dead = observed.containers.find(({ name, state }) => name === container.name && state === 'exited')
  if (!dead) return undefined
  const entry = observed.backOffs[backOffKey(pod, container)]
  const until = heldBackUntil(entry, dead.finishedAt, now)
  if (!entry || until === undefined) return undefined
  const delay = goDuration(entry.durationMs)
  const message = `back-off ${delay} restarting failed container=${container.name} pod=${describePod(pod)}`
  return { until, message }
}

function locate(pod: Pod, name: string): { container: Container; kind: ContainerKind } {
  const init = pod.spec.initContainers?.find(container => container.name === name)
  if (init) return { container: init, kind: isSidecar(init) ? 'sidecar' : 'init' }
  return { container: pod.spec.containers.find(container => container.name === name)!, kind: 'app' }
}
