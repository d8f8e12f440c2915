/**
 * A first-in first-out queue between one producer and one consumer that reads it with `for await`.
 * Ends when closed (items already queued are still delivered) or fails with the error it was closed with.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  #items: T[] = []
  #head = 0
  #waiting: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void } | undefined
  #closed = false
  #error: unknown
  readonly #onReturn: (() => void) | undefined

  /** `onReturn` is called once when the consumer stops early (break, return, throw). */
  constructor(onReturn?: () => void) {
    this.#onReturn = onReturn
  }

  /** Items queued and not yet taken. */
  get length(): number {
    return this.#items.length - this.#head
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Adds an item; does nothing after close. */
  push(item: T): void {
    if (this.#closed) return
    if (this.#waiting) {
      const { resolve } = this.#waiting
      this.#waiting = undefined
      resolve({ value: item, done: false })
    } else {
      this.#items.push(item)
    }
  }

  /** Ends the queue; with an error, the consumer's next read after the queued items throws it. */
  close(error?: unknown): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    if (!this.#waiting) return
    const { resolve, reject } = this.#waiting
    this.#waiting = undefined
    if (error !== undefined) reject(error)
    else resolve({ value: undefined, done: true })
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#head < this.#items.length) return Promise.resolve({ value: this.#take(), done: false })
    if (this.#closed) {
      return this.#error === undefined
        ? Promise.resolve({ value: undefined, done: true })
        : Promise.reject(this.#error)
    }
    if (this.#waiting) return Promise.reject(new Error('AsyncQueue has one consumer; it is already waiting'))
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  return(): Promise<IteratorResult<T>> {
    this.#items = []
    this.#head = 0
    this.close()
    this.#onReturn?.()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(): T {
    const item = this.#items[this.#head] as T
    this.#items[this.#head] = undefined as T
    this.#head++
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
