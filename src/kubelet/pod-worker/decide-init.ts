// The walk over init containers, last to first. Upstream: kuberuntime computeInitContainerActions.

import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { containerHash } from './container-hash.ts'
import { newestOf, type ObservedContainer, type ObservedPod } from './observed-pod.ts'
import { restartsAfter } from './restart-rules.ts'

export interface Kill {
  container: ObservedContainer
  message: string
  why: 'changed' | 'liveness' | 'startup' | 'unknown'
}

export interface InitDecision {
  /** A regular init container failed for good: the pod is over. */
  failed: boolean
  /** App containers may be looked at. */
  initialized: boolean
  /** Names, in spec order. */
  start: string[]
  kill: Kill[]
}

const FAILED: InitDecision = { failed: true, initialized: false, start: [], kill: [] }

interface Walk {
  pod: Pod
  observed: ObservedPod
  inits: readonly Container[]
  initialized: boolean
  start: Set<number>
  kill: Kill[]
}

export function decideInit(pod: Pod, observed: ObservedPod): InitDecision {
  const inits = pod.spec.initContainers ?? []
  if (inits.length === 0) return { failed: false, initialized: true, start: [], kill: [] }
  // Exited does not count: after a reboot every container is Exited, and init containers must run again.
  const initialized = pod.spec.containers.some(({ name }) => {
    const state = newestOf(observed, name)?.state
    return state === 'created' || state === 'running'
  })
  const walk: Walk = { pod, observed, inits, initialized, start: new Set(), kill: [] }
  let earlierOnesDone = initialized
  for (let index = inits.length - 1; index >= 0; index--) {
    const init = inits[index]!
    const newest = newestOf(observed, init.name)
    if (!newest) {
      if (earlierOnesDone && isSidecar(init)) walk.start.add(index)
      continue
    }
    if (earlierOnesDone && !isSidecar(init)) continue
    if (judge(walk, index, newest, earlierOnesDone) === 'failed') return FAILED
    earlierOnesDone = true
  }
  if (!earlierOnesDone) walk.start.add(0)
  const start = [...walk.start].sort((a, b) => a - b).map(index => inits[index]!.name)
  return { failed: false, initialized: walk.initialized, start, kill: walk.kill }
}

function judge(
  walk: Walk,
  index: number,
  newest: ObservedContainer,
  earlierOnesDone: boolean,
): 'failed' | undefined {
  const init = walk.inits[index]!
  switch (newest.state) {
    case 'created':
      // The runtime failed between creating and starting it.
      walk.start.add(index)
      return undefined
    case 'running':
      if (isSidecar(init)) judgeRunningSidecar(walk, index, newest, earlierOnesDone)
      return undefined
    case 'exited':
      return judgeExited(walk, index, newest, earlierOnesDone)
    case 'unknown': {
      if (!isSidecar(init) && !restartsAfter(init, walk.pod.spec, newest.exitCode || 137)) return 'failed'
      const message = 'Init container is in "unknown" state, try killing it before restart'
      restart(walk, index, { container: newest, message, why: 'unknown' })
      return undefined
    }
  }
}

function judgeExited(walk: Walk, index: number, newest: ObservedContainer, earlierOnesDone: boolean) {
  const init = walk.inits[index]!
  if (isSidecar(init)) {
    walk.start.add(index)
  } else if (newest.exitCode !== 0) {
    if (!restartsAfter(init, walk.pod.spec, newest.exitCode)) return 'failed'
    walk.start.add(index)
  } else {
    proceedAfter(walk, index, earlierOnesDone)
  }
  return undefined
}

function judgeRunningSidecar(
  walk: Walk,
  index: number,
  newest: ObservedContainer,
  earlierOnesDone: boolean,
): void {
  const init = walk.inits[index]!
  const results = walk.observed.probes[newest.id]
  if (init.startupProbe && results?.startup !== 'success') {
    if (results?.startup !== 'failure') return
    const message = `Init container ${init.name} failed startup probe`
    restart(walk, index, { container: newest, message, why: 'startup' })
    return
  }
  proceedAfter(walk, index, earlierOnesDone)
  if (newest.hash !== containerHash(init)) {
    restart(walk, index, {
      container: newest,
      message: `Init container ${init.name} definition changed`,
      why: 'changed',
    })
  } else if (init.livenessProbe && results?.liveness === 'failure') {
    // Liveness never gates the next container: that one is started all the same.
    const message = `Init container ${init.name} failed liveness probe`
    restart(walk, index, { container: newest, message, why: 'liveness' })
  }
}

/** The container at `index` has done its part: the next one, or the apps, may come. */
function proceedAfter(walk: Walk, index: number, earlierOnesDone: boolean): void {
  if (index === walk.inits.length - 1) walk.initialized = true
  else if (!earlierOnesDone) walk.start.add(index + 1)
}

function restart(walk: Walk, index: number, kill: Kill): void {
  walk.kill.push(kill)
  walk.start.add(index)
}
