import type { Change } from './journal.ts'

/**
 * The newest changes, in memory. Revisions in it follow each other without a gap: it holds exactly those
 * greater than `from`. A bounded log drops its oldest ones, which a journal can still have.
 */
export class EventLog {
  #changes: Change[] = []
  #head = 0
  #from: number
  readonly #capacity: number

  constructor(from: number, capacity: number = Number.POSITIVE_INFINITY) {
    this.#from = from
    this.#capacity = capacity
  }

  /** Every change after this revision is here. */
  get from(): number {
    return this.#from
  }

  append(change: Change): void {
    this.#changes.push(change)
    if (this.#changes.length - this.#head > this.#capacity) this.#drop(1)
  }

  /** Changes with `after < revision <= through`, at most `limit`; `after` must not be smaller than `from`. */
  read(after: number, through: number, limit: number = Number.POSITIVE_INFINITY): Change[] {
    const start = this.#head + after - this.#from
    return this.#changes.slice(start, Math.min(this.#head + through - this.#from, start + limit))
  }

  /** Drops changes up to and including the revision. */
  trim(through: number): void {
    if (through > this.#from) this.#drop(Math.min(through - this.#from, this.#changes.length - this.#head))
  }

  #drop(count: number): void {
    // Emptied slots must not keep old objects alive until the array is rebuilt.
    this.#changes.fill(undefined as unknown as Change, this.#head, this.#head + count)
    this.#head += count
    this.#from += count
    if (this.#head > 64 && this.#head * 2 > this.#changes.length) {
      this.#changes = this.#changes.slice(this.#head)
      this.#head = 0
    }
  }
}
