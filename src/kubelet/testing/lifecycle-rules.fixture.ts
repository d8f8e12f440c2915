// What must always hold of a pod's containers, checked at each call that the kubelet makes to the runtime.
import assert from 'node:assert/strict'
import { legacySidecars } from '../../api/pod/legacy-sidecar.ts'
import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { StartContainerRequest, StopContainerRequest } from '../../runtime/cri/cri.generated.ts'
import type { FakeContainer } from '../../runtime/fake/fake-container.ts'
import { MINIMUM_STOP_SECONDS } from '../pod-worker/decide-stopping.ts'
import { FakeCri } from './fake-cri.fixture.ts'

/** The pod as the API has it, with the moment when its end began (epoch ms) once it has. */
export interface WatchedPod {
  pod: Pod
  endingSince?: number
  /** Smallest grace granted since; seconds. */
  grace?: number
}

export class CheckedCri extends FakeCri {
  /** Set by the test; undefined: nothing is checked. */
  watched: WatchedPod | undefined
  /** Messages of rules that were broken. */
  readonly broken: string[] = []
  now: () => number = () => 0

  override async startContainer(request: StartContainerRequest) {
    const container = this.containers.get(request.containerId)
    if (this.watched && container) this.#checkStart(this.watched, container)
    return super.startContainer(request)
  }

  override async stopContainer(request: StopContainerRequest) {
    const container = this.containers.get(request.containerId)
    if (this.watched && container?.isRunning) this.#checkStop(this.watched, container, request.timeout ?? 0)
    return super.stopContainer(request)
  }

  #checkStart({ pod, endingSince }: WatchedPod, { config: { metadata } }: FakeContainer): void {
    const { name } = metadata
    const inits = pod.spec.initContainers ?? []
    const regular = inits.filter(init => !isSidecar(init)).map(init => init.name)
    const apps = pod.spec.containers.map(app => app.name)
    const runs = (one: string) => this.#named(one).some(({ isRunning }) => isRunning)
    this.#rule(!runs(name), `${name} is started while it runs`)
    // The kubelet learns of a deletion a moment later.
    this.#rule(
      endingSince === undefined || this.now() === endingSince,
      `${name} is started in a pod that ends`,
    )
    if (regular.includes(name)) {
      this.#rule(!regular.some(runs), `${name} is started beside another init container`)
      this.#rule(!apps.some(runs), `${name} is started beside an app`)
    }
    const before = apps.includes(name) ? regular : regular.slice(0, regular.indexOf(name))
    if (!regular.includes(name) && !apps.includes(name)) return
    for (const init of before) {
      this.#rule(!runs(init), `${name} is started while ${init} runs`)
      const last = this.#named(init).at(-1)
      const succeeded = !last || last.status.exitCode === 0
      this.#rule(succeeded, `${name} is started although ${init} failed`)
    }
  }

  #checkStop(watched: WatchedPod, { config: { metadata } }: FakeContainer, timeout: number): void {
    const { pod, endingSince, grace } = watched
    if (endingSince === undefined || grace === undefined) return
    const end = endingSince + grace * 1000
    const killedAt = this.now() + timeout * 1000
    const floor = Math.max(end, this.now()) + (MINIMUM_STOP_SECONDS + 1) * 1000
    this.#rule(killedAt <= floor, `${metadata.name} is granted ${killedAt - end} ms beyond the grace`)
    if (this.now() >= end) return
    const outlived = outlivedBy(metadata.name, pod)
    const still = outlived.filter(name => this.#named(name).some(({ isRunning }) => isRunning))
    this.#rule(still.length === 0, `sidecar ${metadata.name} is stopped before ${still}`)
  }

  #named(name: string): FakeContainer[] {
    return [...this.containers.values()].filter(({ config }) => config.metadata.name === name)
  }

  #rule(holds: boolean, broken: string): void {
    if (!holds) this.broken.push(`${broken} (at ${this.now()})`)
  }
}

/** Sidecars end after the apps, and after the sidecars that come later; those of the old form after the other apps. */
function outlivedBy(name: string, { spec }: Pod): string[] {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar).map(one => one.name)
  const own = sidecars.indexOf(name)
  if (own >= 0) return [...spec.containers.map(one => one.name), ...sidecars.slice(own + 1)]
  const legacy = legacySidecars(spec).map(one => one.name)
  return legacy.includes(name)
    ? spec.containers.map(one => one.name).filter(one => !legacy.includes(one))
    : []
}

/** What watchers may never see of one pod: counts that fall, a verdict that is taken back. */
export function checkHistory(seen: readonly Pod[]): void {
  const counts = new Map<string, number>()
  let verdict: string | undefined
  for (const { status } of seen) {
    if (verdict) assert.equal(status.phase, verdict, 'a terminal phase changed')
    if (status.phase === 'Succeeded' || status.phase === 'Failed') verdict = status.phase
    for (const one of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
      assert.ok(one.restartCount >= (counts.get(one.name) ?? 0), `restartCount of ${one.name} fell`)
      counts.set(one.name, one.restartCount)
    }
  }
}
