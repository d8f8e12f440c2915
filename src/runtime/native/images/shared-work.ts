// Work that several callers want at the same time and that is done once: pulls of one image, downloads of one layer.

interface Shared<T> {
  result: Promise<T>
  waiting: number
  abort: AbortController
}

/** Joins callers by key. The work is aborted only when every caller has given up. */
export class SharedWork<T> {
  readonly #running = new Map<string, Shared<T>>()

  /** Rejects with the signal's reason when this caller gives up; the others are not touched. */
  async run(
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted()
    const shared = this.#running.get(key) ?? this.#start(key, work)
    shared.waiting++
    try {
      return await (signal ? untilAborted(shared.result, signal) : shared.result)
    } finally {
      if (--shared.waiting === 0) this.#giveUp(key, shared)
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const abort = new AbortController()
    const shared: Shared<T> = { result: work(abort.signal), waiting: 0, abort }
    this.#running.set(key, shared)
    const done = () => this.#forget(key, shared)
    shared.result.then(done, done)
    return shared
  }

  #giveUp(key: string, shared: Shared<T>): void {
    this.#forget(key, shared)
    shared.abort.abort()
  }

  #forget(key: string, shared: Shared<T>): void {
    if (this.#running.get(key) === shared) this.#running.delete(key)
  }
}

function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
