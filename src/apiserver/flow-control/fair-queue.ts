// One of a level's queues: those that wait in it, those that run out of it, and how far it has got.

/** What a queue has to know of a request. */
export interface Queued {
  work: { initialSeats: number }
  /** The wider of its phases. */
  seats: number
  /** In seat-seconds. */
  totalWork: number
  /** What the progress meter showed when it came, in seat-seconds. */
  arrivedAtProgress: number
}

export class FairQueue<T extends Queued> {
  readonly index: number
  /** In the order of their coming. */
  readonly waiting = new Set<T>()
  readonly executing = new Set<T>()
  /** Held by those that run, and by those that were answered and linger. */
  seatsInUse = 0
  /** What the progress meter shows when the oldest one virtually starts, in seat-seconds. */
  nextDispatch = 0
  /** Of those that wait: the work in seat-seconds, the seats of the first phase, the seats of the wider one. */
  waitingWork = 0
  initialSeats = 0
  maxSeats = 0

  constructor(index: number) {
    this.index = index
  }

  get oldest(): T | undefined {
    return this.waiting.values().next().value
  }

  /** Nobody waits and nobody runs; seats may still be held for a moment. */
  get isIdle(): boolean {
    return this.waiting.size === 0 && this.executing.size === 0
  }

  enqueue(ticket: T): void {
    this.waiting.add(ticket)
    this.#count(ticket, 1)
  }

  /** False when it does not wait here (any more). */
  dequeue(ticket: T): boolean {
    if (!this.waiting.delete(ticket)) return false
    this.#count(ticket, -1)
    if (this.waiting.size === 0) this.waitingWork = 0
    return true
  }

  /** A queue that does not use its share earns nothing for later: nobody starts, virtually, before he came. */
  catchUp(): void {
    const { oldest } = this
    if (oldest && this.nextDispatch < oldest.arrivedAtProgress) this.nextDispatch = oldest.arrivedAtProgress
  }

  #count(ticket: T, by: 1 | -1): void {
    this.waitingWork += by * ticket.totalWork
    this.initialSeats += by * ticket.work.initialSeats
    this.maxSeats += by * ticket.seats
  }
}
