// Keeps the store's history short. Upstream's rule (apiserver storage/etcd3/compact.go): every interval,
// compact to where the store was one interval ago, so that history reaches back one to two intervals.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Storage } from './storage.ts'

export interface CompactorOptions {
  storage: Storage
  clock: Clock
  log: Log
  /** Default: five minutes, as upstream's --etcd-compaction-interval. */
  intervalMs?: number
  /** More changes than this are not kept, however young. Default: 50,000. */
  maxHistory?: number
}

/** How often the length of history is looked at, when the interval is longer. */
const COUNT_EVERY_MS = 10_000

export class Compactor {
  readonly #options: Required<CompactorOptions>

  constructor(options: CompactorOptions) {
    this.#options = { intervalMs: 300_000, maxHistory: 50_000, ...options }
  }

  /** Resolves when the signal aborts; rejects when the store is broken. */
  async run(signal: AbortSignal): Promise<void> {
    const { storage, clock, intervalMs, maxHistory } = this.#options
    let revisionAtTick = storage.revision()
    let nextTick = clock.now() + intervalMs
    while (await slept(clock, Math.min(COUNT_EVERY_MS, nextTick - clock.now()), signal)) {
      let target = storage.revision() - maxHistory
      if (clock.now() >= nextTick) {
        target = Math.max(target, revisionAtTick)
        revisionAtTick = storage.revision()
        nextTick = clock.now() + intervalMs
      }
      if (target > storage.compactedRevision()) await this.#compact(target)
    }
  }

  async #compact(revision: number): Promise<void> {
    const { storage, log } = this.#options
    const before = storage.compactedRevision()
    await storage.compact(revision)
    log.debug({ revision, changes: revision - before }, 'compacted the history of the store')
  }
}

async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false
  await clock.sleep(ms, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  return !signal.aborted
}
