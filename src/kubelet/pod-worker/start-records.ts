// What a worker remembers of the starts of its pod's containers: why the last ones failed, and how long the next wait.
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { type BackOffLimits, backOffKey, nextBackOff } from './crash-back-off.ts'
import type { BackOffEntry, ObservedContainer, StartFailure } from './observed-pod.ts'

/** A container that stays held back is told of again after this long. */
const TELL_AGAIN_MS = 10_000

export class StartRecords {
  #backOffs: Record<string, BackOffEntry> = {}
  #failures: Record<string, StartFailure> = {}
  readonly #toldAt = new Map<string, number>()

  /** By backOffKey. */
  get backOffs(): Readonly<Record<string, BackOffEntry>> {
    return this.#backOffs
  }

  /** By container name. */
  get failures(): Readonly<Record<string, StartFailure>> {
    return this.#failures
  }

  /** The container is started again after this end. */
  restarting(
    pod: Pod,
    container: Container,
    dead: ObservedContainer,
    now: number,
    limits: BackOffLimits,
  ): void {
    const key = backOffKey(pod, container)
    this.#backOffs = {
      ...this.#backOffs,
      [key]: nextBackOff(this.#backOffs[key], dead.finishedAt, now, limits),
    }
  }

  started(name: string): void {
    const { [name]: _started, ...others } = this.#failures
    this.#failures = others
  }

  failed(name: string, failure: StartFailure): void {
    this.#failures = { ...this.#failures, [name]: failure }
  }

  /** The back-off refuses a start. Answers whether that is news, and whether an event is to tell of it (again). */
  heldBack(name: string, message: string, now: number): { isNew: boolean; tell: boolean } {
    const known = this.#failures[name]
    const isNew = known?.reason !== 'CrashLoopBackOff' || known.message !== message
    if (isNew) this.failed(name, { reason: 'CrashLoopBackOff', message })
    const tell = isNew || now - (this.#toldAt.get(name) ?? 0) >= TELL_AGAIN_MS
    if (tell) this.#toldAt.set(name, now)
    return { isNew, tell }
  }

  /** An edited spec may mend what failed. */
  letTryAgain(): void {
    this.#failures = Object.fromEntries(
      Object.entries(this.#failures).map(([name, { retryAt: _retryAt, ...failure }]) => [name, failure]),
    )
  }

  clear(): void {
    this.#failures = {}
    this.#backOffs = {}
    this.#toldAt.clear()
  }
}
