// A map from key to item that also keeps the keys in order, for prefix lists and pages.
// Order is kept in chunks of bounded size: an insert is two binary searches and one short array move.

const LARGEST_CHUNK = 512

interface Place {
  chunk: number
  offset: number
}

/** Keys are compared by UTF-16 code units, as `<` does. */
export class KeyIndex<T extends { readonly key: string }> {
  readonly #byKey = new Map<string, T>()
  readonly #chunks: T[][] = []

  constructor(items: Iterable<T> = []) {
    const sorted = [...items].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    for (const item of sorted) this.#byKey.set(item.key, item)
    const half = LARGEST_CHUNK / 2
    for (let at = 0; at < sorted.length; at += half) this.#chunks.push(sorted.slice(at, at + half))
  }

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key)
  }

  /** Adds the item, or replaces the one with the same key. */
  set(item: T): void {
    const known = this.#byKey.has(item.key)
    this.#byKey.set(item.key, item)
    const { chunk, offset } = this.#lowerBound(item.key)
    if (known) this.#chunks[chunk]![offset] = item
    else this.#insert(item, chunk, offset)
  }

  delete(key: string): boolean {
    if (!this.#byKey.delete(key)) return false
    const { chunk, offset } = this.#lowerBound(key)
    const items = this.#chunks[chunk]!
    items.splice(offset, 1)
    if (items.length === 0) this.#chunks.splice(chunk, 1)
    return true
  }

  /** How many keys start with the prefix and are greater than `after`. */
  count(prefix: string, after?: string): number {
    const [start, end] = this.#bounds(prefix, after)
    if (start.chunk > end.chunk) return 0
    let count = -start.offset + end.offset
    for (let chunk = start.chunk; chunk < end.chunk; chunk++) count += this.#chunks[chunk]!.length
    return Math.max(0, count)
  }

  /** Items in key order whose keys start with the prefix and are greater than `after`. */
  slice(prefix: string, after?: string, limit: number = Number.POSITIVE_INFINITY): T[] {
    const [start, end] = this.#bounds(prefix, after)
    const items: T[] = []
    for (let chunk = start.chunk; chunk <= end.chunk && items.length < limit; chunk++) {
      const from = chunk === start.chunk ? start.offset : 0
      const to = chunk === end.chunk ? end.offset : Number.POSITIVE_INFINITY
      const source = this.#chunks[chunk]
      if (!source) break
      const stop = Math.min(to, source.length, from + limit - items.length)
      for (let at = from; at < stop; at++) items.push(source[at]!)
    }
    return items
  }

  #insert(item: T, chunk: number, offset: number): void {
    // A key greater than all others goes to the end of the last chunk, not into a chunk of its own.
    if (chunk === this.#chunks.length && chunk > 0) {
      chunk--
      offset = this.#chunks[chunk]!.length
    }
    const items = this.#chunks[chunk]
    if (!items) {
      this.#chunks.push([item])
      return
    }
    items.splice(offset, 0, item)
    if (items.length > LARGEST_CHUNK) this.#chunks.splice(chunk + 1, 0, items.splice(LARGEST_CHUNK / 2))
  }

  #bounds(prefix: string, after: string | undefined): [Place, Place] {
    const start =
      after !== undefined && after >= prefix ? this.#lowerBound(`${after}\0`) : this.#lowerBound(prefix)
    const past = pastPrefix(prefix)
    return [start, past === undefined ? { chunk: this.#chunks.length, offset: 0 } : this.#lowerBound(past)]
  }

  /** Where the first key that is not smaller than `key` stands. */
  #lowerBound(key: string): Place {
    const chunk = firstAt(this.#chunks.length, at => this.#chunks[at]!.at(-1)!.key >= key)
    const items = this.#chunks[chunk]
    return { chunk, offset: items ? firstAt(items.length, at => items[at]!.key >= key) : 0 }
  }
}

/** The first index from 0 to `length` for which `holds` is true; it must stay true from there on. */
function firstAt(length: number, holds: (at: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** The smallest string greater than every string with the prefix; undefined when there is none. */
function pastPrefix(prefix: string): string | undefined {
  const last = prefix.length - 1
  if (last < 0) return undefined
  const code = prefix.charCodeAt(last)
  return code === 0xffff
    ? pastPrefix(prefix.slice(0, last))
    : prefix.slice(0, last) + String.fromCharCode(code + 1)
}
