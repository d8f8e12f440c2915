// A request as the queues see it.
import type { UserInfo } from '../../api/request.ts'
import type { RequestInfo } from '../http/request-info.ts'
import type { FairQueue, Queued } from './fair-queue.ts'
import type { FlowStats } from './flow-stats.ts'

/** Upstream: WorkEstimate. */
export interface Work {
  /** Taken while the request runs. */
  initialSeats: number
  /** Taken for `lingerMs` after the answer, while watchers are told. */
  finalSeats: number
  lingerMs: number
}

/** How long a request is thought to run before it has run, in seconds. Upstream: estimatedServiceDuration. */
export const EXPECTED_SECONDS = 0.003

export interface TicketParts {
  info: RequestInfo
  user: UserInfo
  stats: FlowStats
  /** What tells this flow from others of its schema. */
  flow: string
  /** The queues it may go to. */
  hand: readonly number[]
  work: Work
}

export class Ticket implements Queued {
  readonly info: RequestInfo
  readonly user: UserInfo
  readonly stats: FlowStats
  readonly flow: string
  readonly hand: readonly number[]
  work: Work
  /** Epoch milliseconds. */
  arrivedAt = 0
  /** Epoch milliseconds; undefined while it waits. */
  startedAt: number | undefined
  /** What the progress meter showed when it came, in seat-seconds. */
  arrivedAtProgress = 0
  /** undefined: it ran without being queued. */
  queue: FairQueue<Ticket> | undefined
  /** Called when its turn comes; not for one that runs at once. */
  started: (() => void) | undefined

  constructor({ info, user, stats, flow, hand, work }: TicketParts) {
    this.info = info
    this.user = user
    this.stats = stats
    this.flow = flow
    this.hand = hand
    this.work = work
  }

  /** As many as the wider of its two phases needs are held for both. */
  get seats(): number {
    return Math.max(this.work.initialSeats, this.work.finalSeats)
  }

  /** In seat-seconds. */
  get totalWork(): number {
    const { initialSeats, finalSeats, lingerMs } = this.work
    return initialSeats * EXPECTED_SECONDS + (finalSeats * lingerMs) / 1000
  }

  /** A last phase that is wider than all seats there are becomes longer instead. */
  narrowTo(seats: number): void {
    const { initialSeats, finalSeats, lingerMs } = this.work
    if (finalSeats <= seats) return
    this.work = { initialSeats, finalSeats: seats, lingerMs: (finalSeats * lingerMs) / seats }
  }
}
