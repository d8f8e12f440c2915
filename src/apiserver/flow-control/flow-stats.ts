// What is counted for the requests of one flow schema in one priority level. Read when metrics are asked for.
// Names and bounds: apiserver pkg/util/flowcontrol/metrics/metrics.go.
import { Tally } from './tally.ts'

export type RejectReason = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

const SECONDS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]

export class FlowStats {
  readonly level: string
  readonly schema: string
  waiting = 0
  waitingSeats = 0
  executing = 0
  executingSeats = 0
  dispatched = 0
  /** How often the next in turn had to wait for more seats than were free. */
  notAccommodated = 0
  readonly rejected = new Map<RejectReason, number>()
  readonly queueLength = new Tally([0, 10, 25, 50, 100, 250, 500, 1000])
  /** Seconds in the queue, of those that ran and of those that did not. */
  readonly waited = { true: new Tally(SECONDS), false: new Tally(SECONDS) }
  readonly executed = { regular: new Tally(SECONDS), watch: new Tally(SECONDS) }
  readonly watchers = new Tally([0, 1, 10, 100, 1000, 10_000])
  readonly seats = new Tally([1, 2, 4, 10])

  constructor(level: string, schema: string) {
    this.level = level
    this.schema = schema
  }

  reject(reason: RejectReason): void {
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + 1)
  }
}
