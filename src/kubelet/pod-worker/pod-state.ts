// What a worker knows of its pod, and what it tells of it. It decides nothing and changes nothing in the runtime.
import type { Pod, PodStatus } from '../../api/types/core-v1.ts'
import { computeStatus } from '../status/compute-status.ts'
import { withheldPhase } from '../status/final-status.ts'
import { nothingObserved, type ObservedPod } from './observed-pod.ts'
import { Onlookers } from './onlookers.ts'
import { StartRecords } from './start-records.ts'
import type { WorkerParts } from './worker-parts.ts'
import type { FailWords } from './worker-phase.ts'

export class PodState {
  readonly parts: WorkerParts
  readonly starts = new StartRecords()
  readonly onlookers = new Onlookers()
  pod: Pod
  /** The API no longer has the pod: nothing is written about it any more. */
  removed = false
  observed: ObservedPod = nothingObserved
  restartingAll: boolean

  constructor(pod: Pod, parts: WorkerParts) {
    this.pod = pod
    this.parts = parts
    this.restartingAll = !!pod.status?.conditions?.some(
      ({ type, status }) => type === 'AllContainersRestarting' && status === 'True',
    )
  }

  get uid(): string {
    return this.pod.metadata.uid
  }

  get podIPs(): readonly string[] {
    return this.pod.spec.hostNetwork ? this.parts.facts.hostIPs : (this.observed.sandboxes[0]?.ips ?? [])
  }

  /** Looks at what the runtime has of the pod now. */
  async observe(): Promise<void> {
    const { sandboxes, containers } = await this.parts.view.observe(this.uid)
    this.observed = { ...this.#own(), sandboxes, containers }
    this.onlookers.looked()
    if (!this.removed) this.parts.probes.observe(this.pod, this.observed)
  }

  /** What was observed last, with what is known besides as of now. */
  current(): ObservedPod {
    return { ...this.observed, ...this.#own() }
  }

  #own(): Pick<ObservedPod, 'probes' | 'backOffs' | 'startFailures' | 'restartingAll'> {
    return {
      probes: this.parts.probes.results(this.uid),
      backOffs: this.starts.backOffs,
      startFailures: this.starts.failures,
      restartingAll: this.restartingAll,
    }
  }

  /** The status told last. */
  previous(): PodStatus {
    return this.parts.statuses.latest(this.uid) ?? this.pod.status
  }

  /** `terminal`: nothing of the pod will start any more. */
  status(terminal: boolean, failWith?: FailWords): PodStatus {
    const { facts, runtimeName, resizes, clock } = this.parts
    const words = {
      hostIPs: facts.hostIPs,
      runtimeName,
      terminal,
      resize: resizes.state(this.uid),
      ...(failWith && { failWith }),
    }
    const status = computeStatus(this.pod, this.current(), this.previous(), words, clock.now())
    return this.parts.plugins.withHealth(this.pod, status)
  }

  publish(status: PodStatus): void {
    if (!this.removed) this.parts.statuses.set(this.pod, status)
  }

  /** The status as it is now, but no verdict yet: something may still run. */
  publishUndecided(failWith?: FailWords): void {
    this.publish(withheldPhase(this.status(false, failWith), this.previous()))
  }
}
