import type { Clock } from '../../base/clock.ts'
import type { Storage } from '../../storage/storage.ts'

/** Upstream: cacher.go defaultBookmarkFrequency. */
const EVERY_MS = 60_000

/** Lets watchers that asked for bookmarks know, once a minute, how far they have come. */
export class BookmarkTicker {
  readonly #storage: Storage
  readonly #clock: Clock

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage
    this.#clock = clock
  }

  /** Ends quietly when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(EVERY_MS, signal).catch(() => {})
      if (!signal.aborted) this.#storage.progress()
    }
  }
}
