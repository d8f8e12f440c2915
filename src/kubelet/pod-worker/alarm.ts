// What a worker waits for: being woken, a time, or the end.
import { aborted } from '../../base/aborted.ts'
import type { Clock } from '../../base/clock.ts'

const OVER = 'the wait is over'

export class Alarm {
  readonly #clock: Clock
  #rung = true
  #wakeUp: (() => void) | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The next wait ends at once, and so does the one under way. */
  ring(): void {
    this.#rung = true
    this.#wakeUp?.()
  }

  /** The next wait ends then at the latest. Epoch milliseconds. */
  ringAt(at: number): void {
    this.#at = Math.min(this.#at, at)
  }

  /** Forgets all rings so far: what comes from now on counts. */
  reset(): void {
    this.#rung = false
    this.#at = Number.POSITIVE_INFINITY
  }

  /** Resolves when it rings or the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) return
    const ending = new AbortController()
    const woken = new Promise<void>(resolve => {
      this.#wakeUp = resolve
    })
    const waits: Promise<unknown>[] = [woken, aborted(signal, ending.signal)]
    if (this.#at < Number.POSITIVE_INFINITY) {
      const delay = Math.max(0, this.#at - this.#clock.now())
      waits.push(this.#clock.sleep(delay, AbortSignal.any([signal, ending.signal])).catch(() => {}))
    }
    await Promise.race(waits)
    this.#wakeUp = undefined
    // Without a reason of its own each end would make an exception with a stack.
    ending.abort(OVER)
  }
}
