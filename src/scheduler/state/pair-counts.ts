// How many Pods there are per topology pair ('zone=a'), for plugins that count them.

export class PairCounts {
  readonly #counts: Map<string, number>

  constructor(counts: Iterable<[string, number]> = []) {
    this.#counts = new Map(counts)
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  get(key: string, value: string): number {
    return this.#counts.get(pair(key, value)) ?? 0
  }

  /** A pair that comes to nothing is gone. */
  add(key: string, value: string, by: number): void {
    const name = pair(key, value)
    const count = (this.#counts.get(name) ?? 0) + by
    if (count === 0) this.#counts.delete(name)
    else this.#counts.set(name, count)
  }

  copy(): PairCounts {
    return new PairCounts(this.#counts)
  }
}

/** Neither part can hold a '='. */
const pair = (key: string, value: string) => `${key}=${value}`
