// Probes every container of every pod of the node: one ContainerProbe per container and kind, made when the
// container is seen running and ended with it. Upstream: prober_manager.go.

import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Container, ContainerStatus, Pod } from '../../api/types/core-v1.ts'
import type { ObservedContainer, ObservedPod, ProbeResult, ProbeResults } from '../pod-worker/observed-pod.ts'
import type { Probes } from '../pod-worker/worker-parts.ts'
import { ContainerProbe, type ContainerProbeParts } from './container-probe.ts'
import type { ProbeKind } from './probe-schedule.ts'

const PROBES = {
  startup: 'startupProbe',
  liveness: 'livenessProbe',
  readiness: 'readinessProbe',
} as const satisfies Record<ProbeKind, keyof Container>

const KINDS: readonly ProbeKind[] = ['startup', 'liveness', 'readiness']

interface ProbedContainer {
  running: boolean
  probes: Partial<Record<ProbeKind, ContainerProbe>>
}

interface ProbedPod {
  pod: Pod
  podIP: string
  stopping: boolean
  /** By container id. */
  containers: Map<string, ProbedContainer>
}

export interface ProberParts extends ContainerProbeParts {
  /** Addresses of the node, for pods in its network. */
  hostIPs: readonly string[]
  /** A verdict of this pod changed. */
  changed: (uid: string) => void
}

export class Prober implements Probes {
  readonly #parts: ProberParts
  readonly #since: number
  readonly #pods = new Map<string, ProbedPod>()

  /** Containers that started before now are taken over with what the API says of them. */
  constructor(parts: ProberParts) {
    this.#parts = parts
    this.#since = parts.clock.now()
  }

  results(uid: string): Readonly<Record<string, ProbeResults>> {
    const results: Record<string, ProbeResults> = {}
    for (const [id, container] of this.#pods.get(uid)?.containers ?? []) results[id] = resultsOf(container)
    return results
  }

  observe(pod: Pod, observed: ObservedPod): void {
    const probed = this.#probed(pod, observed)
    const ids = new Set(observed.containers.map(({ id }) => id))
    for (const [id, { probes }] of probed.containers) {
      if (ids.has(id)) continue
      for (const probe of Object.values(probes)) probe.end()
      probed.containers.delete(id)
    }
    for (const container of probedContainers(pod)) {
      const newest = observed.containers.find(({ name }) => name === container.name)
      if (newest) this.#observeContainer(probed, container, newest)
    }
  }

  stopping(uid: string): void {
    const probed = this.#pods.get(uid)
    if (!probed || probed.stopping) return
    probed.stopping = true
    for (const { probes } of probed.containers.values()) {
      probes.liveness?.end('success')
      // A container that has not started yet is not called started because its pod ends.
      probes.startup?.end()
    }
  }

  forget(uid: string): void {
    for (const { probes } of this.#pods.get(uid)?.containers.values() ?? []) {
      for (const probe of Object.values(probes)) probe.end()
    }
    const gone = this.#pods.get(uid)?.pod.metadata
    if (gone) this.#parts.instruments?.forgetProbes({ namespace: gone.namespace ?? '', pod: gone.name })
    this.#pods.delete(uid)
  }

  #probed(pod: Pod, observed: ObservedPod): ProbedPod {
    const { uid } = pod.metadata
    const podIP = (pod.spec.hostNetwork ? this.#parts.hostIPs[0] : observed.sandboxes[0]?.ips[0]) ?? ''
    const known = this.#pods.get(uid)
    if (known) return Object.assign(known, { pod, podIP: podIP || known.podIP })
    const probed: ProbedPod = { pod, podIP, stopping: false, containers: new Map() }
    this.#pods.set(uid, probed)
    return probed
  }

  #observeContainer(probed: ProbedPod, container: Container, newest: ObservedContainer): void {
    const known = probed.containers.get(newest.id)
    if (newest.state !== 'running') {
      if (!known?.running) return
      known.running = false
      for (const probe of Object.values(known.probes)) probe.end('failure')
      return
    }
    const current = known ?? this.#takeOn(probed, container, newest)
    probed.containers.set(newest.id, current)
    this.#beginDue(current)
    current.probes.readiness?.nudge()
  }

  #beginDue({ probes }: ProbedContainer): void {
    probes.startup?.begin()
    if (probes.startup && probes.startup.result !== 'success') return
    probes.liveness?.begin()
    probes.readiness?.begin()
  }

  #takeOn(probed: ProbedPod, container: Container, { id, startedAt }: ObservedContainer): ProbedContainer {
    const { uid } = probed.pod.metadata
    const taken: ProbedContainer = { running: true, probes: {} }
    const told = startedAt < this.#since ? statusOf(probed.pod, container.name, id) : undefined
    for (const kind of KINDS) {
      const probe = container[PROBES[kind]]
      if (!probe || (probed.stopping && kind !== 'readiness')) continue
      taken.probes[kind] = new ContainerProbe(
        {
          kind,
          probe,
          container,
          containerId: id,
          startedAt,
          ...(told && { takenOver: takenOver(kind, told) }),
          pod: () => probed.pod,
          podIP: () => probed.podIP,
          changed: () => {
            // A startup's end is the turn of the others.
            this.#beginDue(taken)
            this.#parts.changed(uid)
          },
        },
        this.#parts,
      )
    }
    return taken
  }
}

/** App containers and sidecars: nothing else is probed. */
const probedContainers = ({ spec }: Pod): Container[] =>
  [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers].filter(container =>
    KINDS.some(kind => container[PROBES[kind]]),
  )

function resultsOf({ probes }: ProbedContainer): ProbeResults {
  return {
    startup: probes.startup?.result ?? 'success',
    liveness: probes.liveness?.result ?? 'success',
    readiness: probes.readiness?.result ?? 'success',
  }
}

function statusOf({ status }: Pod, name: string, id: string): ContainerStatus | undefined {
  return [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find(
    one => one.name === name && one.containerID?.endsWith(`://${id}`),
  )
}

function takenOver(kind: ProbeKind, { started, ready }: ContainerStatus): ProbeResult {
  if (kind === 'startup') return started ? 'success' : 'unknown'
  return kind === 'readiness' && !ready ? 'failure' : 'success'
}
