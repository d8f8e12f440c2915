// How many objects of a resource are stored, and about how large they are. The size is guessed from a few objects, once
// a minute at most and only while somebody lists. Upstream: apiserver pkg/storage/etcd3's stats and
// pkg/util/flowcontrol/request/object_count_tracker.go.
import type { PassiveClock } from '../../base/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Stored } from './work-estimate.ts'

const FRESH_MS = 60_000
const SAMPLES = 5
/** Of resources, so that paths that only look like one leave nothing behind. */
const MOST_KNOWN = 500

interface Sample {
  takenAt: number
  averageBytes: number | undefined
}

export class StoredSizes {
  readonly #storage: Pick<Storage, 'count' | 'list'>
  readonly #clock: PassiveClock
  readonly #samples = new Map<string, Sample>()

  constructor(storage: Pick<Storage, 'count' | 'list'>, clock: PassiveClock) {
    this.#storage = storage
    this.#clock = clock
  }

  /** undefined: nothing is stored, or nobody asked before; the answer to that is known to the next one. */
  of(group: string, resource: string): Stored | undefined {
    if (`${group}${resource}`.includes('/')) return undefined
    const prefix = group ? `/registry/${group}/${resource}/` : `/registry/${resource}/`
    const count = this.#storage.count(prefix)
    if (count === 0) return undefined
    const known = this.#samples.get(prefix)
    const now = this.#clock.now()
    if (!known || now - known.takenAt >= FRESH_MS) void this.#sample(prefix, now, known)
    return known?.averageBytes === undefined ? undefined : { count, averageBytes: known.averageBytes }
  }

  async #sample(prefix: string, takenAt: number, before: Sample | undefined): Promise<void> {
    if (this.#samples.size >= MOST_KNOWN) this.#samples.clear()
    this.#samples.set(prefix, { takenAt, averageBytes: before?.averageBytes })
    const { items } = await this.#storage.list(prefix, { limit: SAMPLES })
    const bytes = items.reduce((sum, { object }) => sum + JSON.stringify(object).length, 0)
    if (items.length > 0) this.#samples.set(prefix, { takenAt, averageBytes: bytes / items.length })
    else this.#samples.delete(prefix)
  }
}
