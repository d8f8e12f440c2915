// Counters and histograms that the kubelet's parts write to and /metrics reads. Upstream: component-base/metrics.
import type { Metric, Sample } from '../stats/prometheus-text.ts'

export type Labels = Readonly<Record<string, string>>

interface Described {
  name: string
  help: string
}

const keyOf = (labels: Labels) => JSON.stringify(labels)

export class Counter {
  readonly #described: Described
  readonly #values = new Map<string, { labels: Labels; value: number }>()

  constructor(name: string, help: string) {
    this.#described = { name, help }
  }

  add(labels: Labels): void {
    const known = this.#values.get(keyOf(labels)) ?? { labels, value: 0 }
    known.value++
    this.#values.set(keyOf(labels), known)
  }

  /** Series of subjects that are gone. */
  forget(matches: (labels: Labels) => boolean): void {
    for (const [key, { labels }] of this.#values) if (matches(labels)) this.#values.delete(key)
  }

  collect(): Metric {
    const samples = [...this.#values.values()].map(({ labels, value }) => ({ labels: { ...labels }, value }))
    return { ...this.#described, type: 'counter', samples }
  }
}

interface Distribution {
  labels: Labels
  counts: number[]
  sum: number
  total: number
}

export class Histogram {
  readonly #described: Described
  readonly #bounds: readonly number[]
  readonly #values = new Map<string, Distribution>()

  /** `bounds` are the buckets' upper ends, rising; the last bucket has none. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#described = { name, help }
    this.#bounds = bounds
  }

  observe(labels: Labels, value: number): void {
    const fresh = { labels, counts: this.#bounds.map(() => 0), sum: 0, total: 0 }
    const known = this.#values.get(keyOf(labels)) ?? fresh
    this.#values.set(keyOf(labels), known)
    const bucket = this.#bounds.findIndex(bound => value <= bound)
    if (bucket >= 0) known.counts[bucket]!++
    known.sum += value
    known.total++
  }

  forget(matches: (labels: Labels) => boolean): void {
    for (const [key, { labels }] of this.#values) if (matches(labels)) this.#values.delete(key)
  }

  collect(): Metric {
    const samples = [...this.#values.values()].flatMap(one => this.#samplesOf(one))
    return { ...this.#described, type: 'histogram', samples }
  }

  /** Buckets hold everything below their upper end. */
  #samplesOf({ labels, counts, sum, total }: Distribution): Sample[] {
    let below = 0
    const buckets = this.#bounds.map((bound, index): Sample => {
      below += counts[index]!
      return { suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: below }
    })
    return [
      ...buckets,
      { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: total },
      { suffix: '_sum', labels: { ...labels }, value: sum },
      { suffix: '_count', labels: { ...labels }, value: total },
    ]
  }
}
