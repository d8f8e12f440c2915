// A queue of things to work on, with the promises of client-go's util/workqueue: an item waits at most once,
// is worked on by one worker at a time, and comes back after `done` when it was added in the meantime.
import type { Clock } from '../base/clock.ts'

export interface WorkQueueOptions {
  clock: Clock
  /** Delay of an item's first rate-limited return; doubles each time. Default 5 ms. */
  baseDelayMs?: number
  /** Default 1,000 s. */
  maxDelayMs?: number
}

/** Items are compared as Map keys are: use strings. */
export class WorkQueue<T = string> {
  readonly #options: Required<WorkQueueOptions>
  /** In the order in which they are to be worked on. A Set keeps each once. */
  readonly #waiting = new Set<T>()
  readonly #processing = new Set<T>()
  /** Added while processed: wait for `done`. */
  readonly #again = new Set<T>()
  readonly #delayed = new Map<T, { readyAt: number; cancel: AbortController }>()
  readonly #failures = new Map<T, number>()
  readonly #getters: ((item: T | undefined) => void)[] = []
  #shuttingDown = false
  #drained: (() => void)[] = []

  constructor(options: WorkQueueOptions) {
    this.#options = { baseDelayMs: 5, maxDelayMs: 1_000_000, ...options }
  }

  /** Items ready to be worked on. */
  get length(): number {
    return this.#waiting.size
  }

  get isShuttingDown(): boolean {
    return this.#shuttingDown
  }

  /** Does nothing after shutDown. */
  add(item: T): void {
    if (this.#shuttingDown || this.#waiting.has(item)) return
    if (this.#processing.has(item)) {
      this.#again.add(item)
      return
    }
    this.#waiting.add(item)
    this.#hand()
  }

  /** Adds the item when the time is over. Of several delays of one item the one that ends first counts. */
  addAfter(item: T, ms: number): void {
    if (this.#shuttingDown) return
    if (ms <= 0) {
      this.add(item)
      return
    }
    const { clock } = this.#options
    const readyAt = clock.now() + ms
    const before = this.#delayed.get(item)
    if (before && before.readyAt <= readyAt) return
    before?.cancel.abort()
    const cancel = new AbortController()
    this.#delayed.set(item, { readyAt, cancel })
    clock.sleep(ms, cancel.signal).then(
      () => {
        this.#delayed.delete(item)
        this.add(item)
      },
      () => {},
    )
  }

  /** Adds the item after a delay that doubles each time, until it is forgotten. */
  addRateLimited(item: T): void {
    const failures = this.#failures.get(item) ?? 0
    this.#failures.set(item, failures + 1)
    const { baseDelayMs, maxDelayMs } = this.#options
    this.addAfter(item, Math.min(baseDelayMs * 2 ** failures, maxDelayMs))
  }

  /** The item is fine: its next rate-limited delay is the first again. It stays in the queue if it is there. */
  forget(item: T): void {
    this.#failures.delete(item)
  }

  /** How often the item was added rate-limited since it was last forgotten. */
  requeues(item: T): number {
    return this.#failures.get(item) ?? 0
  }

  /** Resolves with the next item, which must be given back to `done`; with undefined when the queue is shut down and empty. */
  get(): Promise<T | undefined> {
    return new Promise(resolve => {
      this.#getters.push(resolve)
      this.#hand()
    })
  }

  /** The worker is finished with the item. */
  done(item: T): void {
    this.#processing.delete(item)
    if (this.#again.delete(item)) {
      this.#waiting.add(item)
      this.#hand()
    }
    this.#checkDrained()
  }

  /** Takes nothing new and drops what is delayed; what waits is still handed out. */
  shutDown(): void {
    this.#shuttingDown = true
    for (const { cancel } of this.#delayed.values()) cancel.abort()
    this.#delayed.clear()
    this.#hand()
  }

  /** shutDown, and resolves when every item handed out is done. */
  shutDownWithDrain(): Promise<void> {
    this.shutDown()
    return new Promise(resolve => {
      this.#drained.push(resolve)
      this.#checkDrained()
    })
  }

  #hand(): void {
    for (const item of this.#waiting) {
      const getter = this.#getters.shift()
      if (!getter) return
      this.#waiting.delete(item)
      this.#processing.add(item)
      getter(item)
    }
    if (!this.#shuttingDown) return
    for (const getter of this.#getters.splice(0)) getter(undefined)
  }

  #checkDrained(): void {
    if (!this.#shuttingDown || this.#processing.size > 0 || this.#waiting.size > 0) return
    for (const resolve of this.#drained.splice(0)) resolve()
  }
}
