// How many Pods there are per topology pair ('zone', 'a'), for plugins that count them.

export class PairCounts {
  readonly #counts: Map<string, Map<string, number>>

  constructor(counts: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map()) {
    this.#counts = new Map([...counts].map(([key, values]) => [key, new Map(values)]))
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  /** Those of which there is a pair. */
  get keys(): Iterable<string> {
    return this.#counts.keys()
  }

  get(key: string, value: string): number {
    return this.#counts.get(key)?.get(value) ?? 0
  }

  /** A pair that comes to nothing is gone. */
  add(key: string, value: string, by: number): void {
    if (by === 0) return
    let values = this.#counts.get(key)
    if (!values) {
      values = new Map()
      this.#counts.set(key, values)
    }
    const count = (values.get(value) ?? 0) + by
    if (count !== 0) values.set(value, count)
    else if (values.delete(value) && values.size === 0) this.#counts.delete(key)
  }

  copy(): PairCounts {
    return new PairCounts(this.#counts)
  }
}
