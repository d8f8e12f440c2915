// Whether the proxy keeps up: it is healthy unless a change of Services or endpoints waits too long for the kernel.
// Upstream: pkg/proxy/healthcheck/proxy_health.go.
import type { Node } from '../api/types/core-v1.ts'
import type { PassiveClock } from '../base/clock.ts'

/** Twice upstream's longest time between two looks at the rules. */
const LATE_MS = 60_000
/** By this taint the cluster autoscaler says that it will remove the node. */
const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler'

export class ProxyHealth {
  readonly #clock: PassiveClock
  #waitingSince: number | undefined
  #updatedAt: number | undefined
  #isEligible = true

  constructor(clock: PassiveClock) {
    this.#clock = clock
  }

  /** Something changed that the kernel does not know yet. */
  queued(): void {
    this.#waitingSince ??= this.#clock.now()
  }

  /** The kernel knows everything. */
  updated(): void {
    this.#waitingSince = undefined
    this.#updatedAt = this.#clock.now()
  }

  /** What is on its way out must not be given new connections by load balancers. */
  sawNode({ metadata, spec }: Node): void {
    this.#isEligible =
      metadata.deletionTimestamp === undefined && !spec.taints?.some(({ key }) => key === TO_BE_DELETED)
  }

  get isEligible(): boolean {
    return this.#isEligible
  }

  /** Healthy, too, while it starts. */
  get isHealthy(): boolean {
    const since = this.#updatedAt === undefined ? undefined : this.#waitingSince
    return since === undefined || this.#clock.now() - since < LATE_MS
  }

  /** In milliseconds. While all is well that is now, although nothing may have changed for long. */
  get lastUpdatedAt(): number {
    return this.isHealthy && this.#isEligible ? this.#clock.now() : (this.#updatedAt ?? 0)
  }
}
