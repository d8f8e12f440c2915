// A binary heap whose members are found by key, so that any of them can be replaced or taken out.

export class PriorityHeap<T> {
  readonly #isBefore: (a: T, b: T) => boolean
  readonly #keyOf: (member: T) => string
  readonly #members: T[] = []
  readonly #places = new Map<string, number>()

  /** `isBefore` must not change its mind while a member is inside. */
  constructor(keyOf: (member: T) => string, isBefore: (a: T, b: T) => boolean) {
    this.#keyOf = keyOf
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#members.length
  }

  get first(): T | undefined {
    return this.#members[0]
  }

  get(key: string): T | undefined {
    const place = this.#places.get(key)
    return place === undefined ? undefined : this.#members[place]
  }

  /** Replaces the member with the same key. */
  put(member: T): void {
    this.remove(this.#keyOf(member))
    this.#set(this.#members.length, member)
    this.#rise(this.#members.length - 1)
  }

  shift(): T | undefined {
    const first = this.#members[0]
    if (first !== undefined) this.remove(this.#keyOf(first))
    return first
  }

  remove(key: string): boolean {
    const place = this.#places.get(key)
    if (place === undefined) return false
    const last = this.#members.pop()!
    this.#places.delete(key)
    if (place === this.#members.length) return true
    this.#set(place, last)
    this.#rise(place)
    this.#sink(place)
    return true
  }

  #set(place: number, member: T): void {
    this.#members[place] = member
    this.#places.set(this.#keyOf(member), place)
  }

  #rise(start: number): void {
    for (let place = start; place > 0; ) {
      const parent = (place - 1) >> 1
      if (!this.#isBefore(this.#members[place]!, this.#members[parent]!)) return
      this.#swap(place, parent)
      place = parent
    }
  }

  #sink(start: number): void {
    for (let place = start; ; ) {
      let best = place
      for (const child of [2 * place + 1, 2 * place + 2])
        if (child < this.#members.length && this.#isBefore(this.#members[child]!, this.#members[best]!))
          best = child
      if (best === place) return
      this.#swap(place, best)
      place = best
    }
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#members[a]!, this.#members[b]!]
    this.#set(a, second)
    this.#set(b, first)
  }
}
