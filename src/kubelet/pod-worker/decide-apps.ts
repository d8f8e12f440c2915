// App containers of an initialised pod. Upstream: the second half of kuberuntime computePodActions.
import { legacySidecars } from '../../api/pod/legacy-sidecar.ts'
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { containerHash } from './container-hash.ts'
import type { Kill } from './decide-init.ts'
import { newestOf, type ObservedContainer, type ObservedPod } from './observed-pod.ts'
import { isRestartable, shouldStart } from './restart-rules.ts'

export interface AppsDecision {
  /** Containers that run and stay. */
  kept: number
  /** Names, in spec order. */
  start: string[]
  kill: Kill[]
}

export function decideApps(pod: Pod, observed: ObservedPod): AppsDecision {
  const sidecars = legacySidecars(pod.spec)
  const others = pod.spec.containers.filter(app => !sidecars.includes(app))
  const decision = decideEach(pod, others, observed)
  const isOver = decision.kept === 0 && decision.start.length === 0
  if (sidecars.length === 0 || isOver) return decision
  const served = decideEach(pod, sidecars, observed)
  const ready = sidecars.every(sidecar => isReady(sidecar, observed))
  const start = ready ? decision.start : decision.start.filter(name => ranHere(name, observed))
  return {
    kept: served.kept + decision.kept,
    start: [...served.start, ...start],
    kill: [...served.kill, ...decision.kill],
  }
}

function decideEach(pod: Pod, apps: readonly Container[], observed: ObservedPod): AppsDecision {
  const decision: AppsDecision = { kept: 0, start: [], kill: [] }
  for (const app of apps) {
    const newest = newestOf(observed, app.name)
    if (newest?.state === 'running') decideRunning(pod, app, newest, observed, decision)
    else if (shouldStart(app, pod, observed)) decideStart(app, newest, decision)
  }
  return decision
}

function isReady(app: Container, observed: ObservedPod): boolean {
  const newest = newestOf(observed, app.name)
  if (newest?.state !== 'running') return false
  const results = observed.probes[newest.id]
  return (
    (!app.startupProbe || results?.startup === 'success') &&
    (!app.readinessProbe || results?.readiness === 'success')
  )
}

/** A container that has run beside the sidecars once does not wait for them when it runs again. */
const ranHere = (name: string, observed: ObservedPod) =>
  newestOf(observed, name)?.sandboxId === observed.sandboxes[0]?.id

function decideStart(app: Container, newest: ObservedContainer | undefined, decision: AppsDecision): void {
  decision.start.push(app.name)
  if (newest?.state !== 'unknown') return
  const message = 'Container is in "unknown" state, try killing it before restart'
  decision.kill.push({ container: newest, message, why: 'unknown' })
}

function decideRunning(
  pod: Pod,
  app: Container,
  newest: ObservedContainer,
  observed: ObservedPod,
  decision: AppsDecision,
): void {
  const cause = killCause(app, newest, observed)
  if (!cause) {
    decision.kept++
    return
  }
  // A changed definition restarts whatever the policy says.
  const again = cause.why === 'changed' || isRestartable(app, pod.spec)
  if (again) decision.start.push(app.name)
  decision.kill.push({
    ...cause,
    container: newest,
    message: cause.message + (again ? ', will be restarted' : ''),
  })
}

function killCause(
  app: Container,
  newest: ObservedContainer,
  observed: ObservedPod,
): Omit<Kill, 'container'> | undefined {
  const results = observed.probes[newest.id]
  if (newest.hash !== containerHash(app)) {
    return { why: 'changed', message: `Container ${app.name} definition changed` }
  }
  if (app.livenessProbe && results?.liveness === 'failure') {
    return { why: 'liveness', message: `Container ${app.name} failed liveness probe` }
  }
  if (app.startupProbe && results?.startup === 'failure') {
    return { why: 'startup', message: `Container ${app.name} failed startup probe` }
  }
  return undefined
}
