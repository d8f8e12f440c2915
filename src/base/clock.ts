// Time as a part that is handed down from main.ts. Only this folder may touch Date.now and setTimeout.

/** Reads time only. Pure code is handed `now`; this is for code that must ask. */
export interface PassiveClock {
  /** Epoch milliseconds. */
  now(): number
}

export interface Clock extends PassiveClock {
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted first. Never throws synchronously. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** setTimeout fires at once for anything longer than this (2^31 - 1 ms, about 24.8 days). */
const LONGEST_TIMER_MS = 2_147_483_647

/** The machine's clock. A sleeping timer keeps the process alive only when asked to. */
export class SystemClock implements Clock {
  readonly #keepAlive: boolean

  constructor({ keepAlive = false }: { keepAlive?: boolean } = {}) {
    this.#keepAlive = keepAlive
  }

  now(): number {
    return Date.now()
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    for (let left = ms; left > 0; left -= LONGEST_TIMER_MS) {
      await sleepOnce(Math.min(left, LONGEST_TIMER_MS), this.#keepAlive, signal)
    }
  }
}

function sleepOnce(ms: number, keepAlive: boolean, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    if (!keepAlive) timer.unref()
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
