// Tallies as a histogram that Prometheus understands.
import { Histogram, type HistogramConfiguration } from 'prom-client'
import type { Tally } from './tally.ts'

export type Labels = Record<string, string>

export class TallyHistogram extends Histogram {
  readonly #what: { name: string; help: string }
  readonly #rows: () => readonly (readonly [labels: Labels, tally: Tally])[]

  constructor(
    configuration: HistogramConfiguration<string>,
    rows: () => readonly (readonly [labels: Labels, tally: Tally])[],
  ) {
    super(configuration)
    this.#what = configuration
    this.#rows = rows
  }

  override async get() {
    const { name, help } = this.#what
    const values = this.#rows().flatMap(([labels, tally]) =>
      tally.count > 0 ? valuesOf(name, labels, tally) : [],
    )
    return { name, help, type: 'histogram' as never, values, aggregator: 'sum' as const, collect: () => {} }
  }

  /** What the registry asks for in place of `get`. */
  getForPromString() {
    return this.get()
  }
}

function valuesOf(name: string, labels: Labels, { bounds, buckets, count, sum }: Tally) {
  let below = 0
  const upTo = bounds.map((bound, at) => {
    below += buckets[at]!
    return { metricName: `${name}_bucket`, labels: { le: String(bound), ...labels }, value: below }
  })
  return [
    ...upTo,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
