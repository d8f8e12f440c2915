// Watchers of a store: each reads history in pieces at its own pace, then what is published live.
import { AsyncQueue } from '../base/async-queue.ts'
import type { Change } from './journal.ts'
import { SlowConsumer, type StorageEvent } from './storage.ts'

/** How many history entries are looked at per read, so that a long history does not hold the event loop. */
const HISTORY_PIECE = 500

export interface WatchSource {
  /** Changes of all keys with `after < revision <= through`, at most `limit`; throws Compacted. */
  history(after: number, through: number, limit: number): Change[]
}

/** One watcher. Live events queue up from the moment it is made, while history is still being read. */
export class Watch implements AsyncIterableIterator<StorageEvent> {
  readonly prefix: string
  readonly #source: WatchSource
  readonly #live: AsyncQueue<StorageEvent>
  readonly #maxBehind: number
  readonly #after: number
  /** History is read from here … */
  #position: number
  /** … up to here; later revisions come live. */
  readonly #through: number
  #piece: Change[] = []
  #pieceAt = 0
  #ended = false

  constructor(
    source: WatchSource,
    options: { prefix: string; after: number; through: number; maxBehind: number; onReturn: () => void },
  ) {
    this.prefix = options.prefix
    this.#source = source
    this.#after = options.after
    this.#position = options.after
    this.#through = options.through
    this.#maxBehind = options.maxBehind
    this.#live = new AsyncQueue(options.onReturn)
  }

  /** Returns false when the watcher was too slow and is closed now. */
  push(event: StorageEvent): boolean {
    if (event.revision <= this.#after && event.type !== 'progress') return true
    if (this.#live.length >= this.#maxBehind) {
      this.#live.close(new SlowConsumer())
      return false
    }
    this.#live.push(event)
    return true
  }

  /** Ends at once; what is queued is not delivered. */
  end(): void {
    this.#ended = true
    this.#live.close()
  }

  async next(): Promise<IteratorResult<StorageEvent>> {
    if (this.#ended) return { value: undefined, done: true }
    const old = this.#nextOld()
    return old ? { value: old, done: false } : this.#live.next()
  }

  return(): Promise<IteratorResult<StorageEvent>> {
    this.#ended = true
    return this.#live.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #nextOld(): Change | undefined {
    for (;;) {
      const change = this.#piece[this.#pieceAt++]
      if (change?.key.startsWith(this.prefix)) return change
      if (change) continue
      if (this.#position >= this.#through) return undefined
      this.#readPiece()
    }
  }

  #readPiece(): void {
    try {
      this.#piece = this.#source.history(this.#position, this.#through, HISTORY_PIECE)
    } catch (error) {
      void this.return()
      throw error
    }
    this.#pieceAt = 0
    this.#position = this.#piece.at(-1)?.revision ?? this.#through
  }
}

/** All watchers of a store, by prefix. */
export class Watches {
  readonly #byPrefix = new Map<string, Set<Watch>>()

  add(watch: Watch): void {
    const same = this.#byPrefix.get(watch.prefix)
    if (same) same.add(watch)
    else this.#byPrefix.set(watch.prefix, new Set([watch]))
  }

  remove(watch: Watch): void {
    const same = this.#byPrefix.get(watch.prefix)
    same?.delete(watch)
    if (same?.size === 0) this.#byPrefix.delete(watch.prefix)
  }

  /** Hands the change to every watcher of a prefix of its key. */
  publish(change: Change): void {
    for (const [prefix, watches] of this.#byPrefix) {
      if (change.key.startsWith(prefix)) this.#push(watches, change)
    }
  }

  progress(revision: number): void {
    for (const watches of this.#byPrefix.values()) this.#push(watches, { type: 'progress', revision })
  }

  endAll(): void {
    for (const watches of this.#byPrefix.values()) for (const watch of watches) watch.end()
    this.#byPrefix.clear()
  }

  #push(watches: Set<Watch>, event: StorageEvent): void {
    for (const watch of watches) if (!watch.push(event)) this.remove(watch)
  }
}
