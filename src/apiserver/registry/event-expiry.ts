// Events live for an hour after they were last written, as upstream's event-ttl lease has it.
// Not a part of the request path: it only watches and deletes.
import type { Clock } from '../../base/clock.ts'
import type { Storage } from '../../storage/storage.ts'

const LIFETIME_MS = 3_600_000
/** Events are looked at together, so that a burst of them costs one wake-up. */
const SWEEP_MS = 60_000

interface Parts {
  storage: Storage
  /** Where events are stored. */
  prefix: string
  clock: Clock
  lifetimeMs?: number
}

export class EventExpiry {
  readonly #storage: Storage
  readonly #prefix: string
  readonly #clock: Clock
  readonly #lifetimeMs: number
  /** Key → when its newest version was seen; in the order of those times, as a rewritten event moves to the end. */
  readonly #written = new Map<string, { at: number; revision: number }>()

  constructor({ storage, prefix, clock, lifetimeMs = LIFETIME_MS }: Parts) {
    this.#storage = storage
    this.#prefix = prefix
    this.#clock = clock
    this.#lifetimeMs = lifetimeMs
  }

  /** Ends quietly when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const after = await this.#load()
    await Promise.all([this.#follow(after, signal), this.#sweepAgainAndAgain(signal)])
  }

  /** After a restart the hour counts from what the event itself says of its last time. */
  async #load(): Promise<number> {
    const { items, revision } = await this.#storage.list(this.#prefix)
    const now = this.#clock.now()
    const found = items.map(({ key, object, revision }) => ({ key, revision, at: lastTime(object, now) }))
    for (const { key, revision, at } of found.sort((a, b) => a.at - b.at))
      this.#written.set(key, { at, revision })
    return revision
  }

  async #follow(after: number, signal: AbortSignal): Promise<void> {
    const options = { after, signal, maxBehind: Number.POSITIVE_INFINITY }
    for await (const event of this.#storage.watch(this.#prefix, options)) {
      if (event.type === 'progress') continue
      this.#written.delete(event.key)
      if (event.type === 'put')
        this.#written.set(event.key, { at: this.#clock.now(), revision: event.revision })
    }
  }

  async #sweepAgainAndAgain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#sweep()
      await this.#clock.sleep(SWEEP_MS, signal).catch(() => {})
    }
  }

  async #sweep(): Promise<void> {
    const oldest = this.#clock.now() - this.#lifetimeMs
    const deletions: Promise<unknown>[] = []
    for (const [key, { at, revision }] of this.#written) {
      if (at > oldest) break
      this.#written.delete(key)
      // One that was written meanwhile stays: its new version is on its way here.
      deletions.push(this.#storage.delete(key, revision))
    }
    await Promise.all(deletions)
  }
}

function lastTime(
  object: { [field: string]: unknown; metadata: { creationTimestamp: string } },
  now: number,
): number {
  const series = object.series as { lastObservedTime?: string } | undefined
  const times = [
    object.lastTimestamp,
    object.eventTime,
    series?.lastObservedTime,
    object.metadata.creationTimestamp,
  ]
  const known = times.map(time => Date.parse(String(time))).filter(time => !Number.isNaN(time))
  return Math.min(now, Math.max(0, ...known))
}
