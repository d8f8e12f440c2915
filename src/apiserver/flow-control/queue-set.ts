// The queues of one priority level: who runs, who waits and who is refused. Synchronous; time is handed in.
//
// Seats are shared among queues by virtual time. The progress meter shows how many seat-seconds each busy queue has been
// given since the start; a queue is served at the moment at which it would be served if all busy queues shared the
// seats evenly at every instant. How long a request will run is guessed, and put right when it has run.
// Upstream: apiserver pkg/util/flowcontrol/fairqueuing/queueset, which counts in fixed point and so has epochs;
// a double shows a year of 600 seats to some millionths of a seat-second.
import { FairQueue } from './fair-queue.ts'
import type { RejectReason } from './flow-stats.ts'
import { nextQueue, type QueueBounds } from './next-queue.ts'
import { SeatDemand } from './seat-demand.ts'
import { EXPECTED_SECONDS, type Ticket } from './ticket.ts'
import { Utilization } from './utilization.ts'

export interface QueueShape {
  /** 0: what does not fit is refused. 'unlimited': everything runs. */
  queues: number | 'unlimited'
  /** How many may wait in one queue. */
  lengthLimit: number
}

/** 'running' and 'waiting', or why not. */
export type Verdict = 'running' | 'waiting' | 'queue-full' | 'concurrency-limit'

export class QueueSet {
  readonly demand: SeatDemand
  readonly utilization = new Utilization()
  waiting = 0
  executing = 0
  seatsInUse = 0
  seatsWaiting = 0
  dispatched = 0
  readonly refused = { rejected: 0, timedOut: 0, cancelled: 0 }
  /** What the meter showed at the last dispatch, and where the queues stood. */
  lastDispatch: (QueueBounds & { progress: number; start: number }) | undefined
  #shape: QueueShape
  #limit: number
  /** Seat-seconds. */
  #progress = 0
  #syncedAt: number
  /** Only queues in which somebody waits, runs or holds seats. */
  readonly #queues = new Map<number, FairQueue<Ticket>>()
  readonly #withoutQueue = new Set<Ticket>()
  #busy = 0
  #enqueued = 0
  /** Where the last one came from; ties go to the next queue. */
  #lastServed = -1

  constructor(shape: QueueShape, limit: number, now: number) {
    this.#shape = shape
    this.#limit = limit
    this.#syncedAt = now
    this.demand = new SeatDemand(now)
  }

  get shape(): QueueShape {
    return this.#shape
  }

  get limit(): number {
    return this.#limit
  }

  get progress(): number {
    return this.#progress
  }

  get isIdle(): boolean {
    return this.waiting === 0 && this.executing === 0
  }

  queue(index: number): FairQueue<Ticket> | undefined {
    return this.#queues.get(index)
  }

  queues(): Iterable<FairQueue<Ticket>> {
    return this.#queues.values()
  }

  runningWithoutQueue(): Iterable<Ticket> {
    return this.#withoutQueue
  }

  /** Queues that are no longer wanted empty themselves. */
  configure(shape: QueueShape, limit: number, now: number): void {
    this.sync(now)
    this.#shape = shape
    this.#limit = limit
    this.#dispatch(now)
    this.#noteDemand(now)
  }

  arrive(ticket: Ticket, now: number): Verdict {
    this.sync(now)
    ticket.arrivedAt = now
    ticket.arrivedAtProgress = this.#progress
    const verdict =
      typeof this.#shape.queues === 'number' && this.#shape.queues > 0
        ? this.#queueUp(ticket, now)
        : this.#runAtOnce(ticket, now)
    this.#noteDemand(now)
    return verdict
  }

  /** Takes one that waits out of its queue, for this reason. False when it runs already. */
  giveUp(ticket: Ticket, reason: 'time-out' | 'cancelled', now: number): boolean {
    this.sync(now)
    const { queue } = ticket
    if (!queue?.dequeue(ticket)) return false
    this.#noLongerWaits(ticket)
    queue.catchUp()
    if (queue.isIdle) this.#busy--
    this.#forgetIfEmpty(queue)
    this.#refuse(ticket, reason)
    this.#dispatch(now)
    this.#noteDemand(now)
    return true
  }

  /** One that ran is answered. How many milliseconds it holds its seats yet; after them, `release`. */
  finish(ticket: Ticket, now: number): number {
    this.sync(now)
    this.executing--
    ticket.stats.executing--
    const { queue } = ticket
    if (queue) this.#settle(ticket, queue, now)
    else this.#withoutQueue.delete(ticket)
    const { finalSeats, lingerMs } = ticket.work
    if (finalSeats > 0 && lingerMs > 0) return lingerMs
    this.release(ticket, now)
    return 0
  }

  /** The seats are free again. */
  release(ticket: Ticket, now: number): void {
    this.sync(now)
    const { seats, queue } = ticket
    this.seatsInUse -= seats
    ticket.stats.executingSeats -= seats
    if (queue) {
      queue.seatsInUse -= seats
      this.#forgetIfEmpty(queue)
    }
    this.#dispatch(now)
    this.#noteDemand(now)
  }

  /**
   * Accounts for the time until now. The meter runs as if all that is asked for ran, shared evenly by the busy queues, up
   * to the limit. Called before anything changes, and before figures are read.
   */
  sync(now: number): void {
    const ms = now - this.#syncedAt
    this.#syncedAt = now
    if (ms <= 0) return
    this.utilization.hold(ms, this)
    if (this.#busy === 0) return
    const seats = Math.min(this.seatsInUse + this.seatsWaiting, this.#limit)
    this.#progress += (seats / this.#busy) * (ms / 1000)
  }

  #runAtOnce(ticket: Ticket, now: number): Verdict {
    if (!this.#fits(ticket.seats)) return this.#refuse(ticket, 'concurrency-limit')
    this.#withoutQueue.add(ticket)
    this.#start(ticket, now)
    return 'running'
  }

  #queueUp(ticket: Ticket, now: number): Verdict {
    const queue = this.#choose(ticket.hand)
    if (this.seatsInUse >= this.#limit && queue.waiting.size >= this.#shape.lengthLimit) {
      this.#forgetIfEmpty(queue)
      return this.#refuse(ticket, 'queue-full')
    }
    if (queue.isIdle) {
      queue.nextDispatch = this.#progress
      this.#busy++
    }
    ticket.queue = queue
    queue.enqueue(ticket)
    queue.catchUp()
    this.waiting++
    this.seatsWaiting += ticket.seats
    ticket.stats.waiting++
    ticket.stats.waitingSeats += ticket.seats
    ticket.stats.queueLength.add(queue.waiting.size)
    this.#dispatch(now)
    return ticket.startedAt === undefined ? 'waiting' : 'running'
  }

  /** The one of the hand with the least work waiting. Hands that overlap are not always looked at in the same order. */
  #choose(hand: readonly number[]): FairQueue<Ticket> {
    const offset = this.#enqueued++ % hand.length
    let best: FairQueue<Ticket> | undefined
    for (let at = 0; at < hand.length; at++) {
      const index = hand[(offset + at) % hand.length]!
      const queue = this.#queues.get(index)
      if (!queue) return best?.waitingWork === 0 ? best : this.#open(index)
      if (!best || queue.waitingWork < best.waitingWork) best = queue
    }
    return best!
  }

  #open(index: number): FairQueue<Ticket> {
    const queue = new FairQueue<Ticket>(index)
    this.#queues.set(index, queue)
    return queue
  }

  #dispatch(now: number): void {
    while (this.waiting > 0 && this.seatsInUse < this.#limit) {
      const { queue, ...bounds } = nextQueue(this.#queues.values(), this.#lastServed)
      this.lastDispatch = { ...bounds, progress: this.#progress, start: queue.nextDispatch }
      const ticket = queue.oldest!
      if (!this.#fits(ticket.seats)) {
        ticket.stats.notAccommodated++
        return
      }
      this.#lastServed = queue.index
      queue.dequeue(ticket)
      this.#noLongerWaits(ticket)
      ticket.narrowTo(this.#limit)
      queue.executing.add(ticket)
      queue.seatsInUse += ticket.seats
      queue.nextDispatch += ticket.totalWork
      queue.catchUp()
      this.#start(ticket, now)
      ticket.started?.()
    }
  }

  /** One that is wider than all seats there are runs alone. */
  #fits(seats: number): boolean {
    if (this.#shape.queues === 'unlimited') return true
    if (seats > this.#limit) return this.executing === 0
    return this.seatsInUse + seats <= this.#limit
  }

  #start(ticket: Ticket, now: number): void {
    const { stats, seats } = ticket
    ticket.startedAt = now
    this.executing++
    this.seatsInUse += seats
    this.dispatched++
    stats.executing++
    stats.executingSeats += seats
    stats.dispatched++
  }

  #noLongerWaits({ stats, seats }: Ticket): void {
    this.waiting--
    this.seatsWaiting -= seats
    stats.waiting--
    stats.waitingSeats -= seats
  }

  #refuse(ticket: Ticket, reason: RejectReason): 'queue-full' | 'concurrency-limit' {
    this.refused.rejected++
    if (reason === 'time-out') this.refused.timedOut++
    if (reason === 'cancelled') this.refused.cancelled++
    ticket.stats.reject(reason)
    return reason as 'queue-full' | 'concurrency-limit'
  }

  /** What it really took takes the place of what it was thought to take. */
  #settle(ticket: Ticket, queue: FairQueue<Ticket>, now: number): void {
    queue.executing.delete(ticket)
    const seconds = Math.max(0, now - (ticket.startedAt ?? now)) / 1000
    queue.nextDispatch -= ticket.work.initialSeats * (EXPECTED_SECONDS - seconds)
    queue.catchUp()
    if (queue.isIdle) this.#busy--
  }

  #forgetIfEmpty(queue: FairQueue<Ticket>): void {
    if (queue.isIdle && queue.seatsInUse === 0) this.#queues.delete(queue.index)
  }

  #noteDemand(now: number): void {
    this.demand.set(this.seatsInUse + this.seatsWaiting, now)
  }
}
