import type { Clock } from './clock.ts'

interface Sleeper {
  wakeAt: number
  wake: () => void
}

/** A clock that moves only when told to, so an hour of back-off takes no time to test. */
export class ManualClock implements Clock {
  #now: number
  #sleepers = new Set<Sleeper>()

  /** `startAt` is in epoch milliseconds. */
  constructor(startAt = 0) {
    this.#now = startAt
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (ms <= 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper = { wakeAt: this.#now + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** When the next sleeper is due, in epoch milliseconds; undefined when nobody sleeps. */
  nextWakeAt(): number | undefined {
    return this.#earliest(Number.POSITIVE_INFINITY)?.wakeAt
  }

  /** Wakes sleepers one by one in due order, letting each run before time moves on. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (let next = this.#earliest(end); next; next = this.#earliest(end)) {
      this.#sleepers.delete(next)
      this.#now = next.wakeAt
      next.wake()
      await settle()
    }
    this.#now = end
  }

  #earliest(end: number): Sleeper | undefined {
    let earliest: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakeAt <= end && (!earliest || sleeper.wakeAt < earliest.wakeAt)) earliest = sleeper
    }
    return earliest
  }
}

/** Lets every promise that is ready run. Real file and socket I/O is not waited for. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>(resolve => setImmediate(resolve))
}
