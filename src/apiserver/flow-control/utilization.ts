// How full a level was, and for how long. Upstream: the "timing ratio histograms" of pkg/util/flowcontrol/metrics, which
// count every nanosecond; so do these.
import { SERVER_SEATS } from './allocate-seats.ts'
import { Tally } from './tally.ts'

const NANOSECONDS = 1e6
const REQUESTS = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1]

interface Figures {
  shape: { queues: number | 'unlimited'; lengthLimit: number }
  limit: number
  waiting: number
  executing: number
  seatsInUse: number
  seatsWaiting: number
}

export class Utilization {
  readonly waiting = new Tally(REQUESTS)
  readonly executing = new Tally(REQUESTS)
  readonly seats = new Tally([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1])
  readonly demand = new Tally([0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6])

  /** It was like this for so many milliseconds. */
  hold(ms: number, { shape, limit, waiting, executing, seatsInUse, seatsWaiting }: Figures): void {
    const queues = shape.queues === 'unlimited' ? 1 : Math.max(1, shape.queues)
    const room = Math.max(1, shape.lengthLimit) * queues
    const seats = limit > 0 ? limit : Math.max(1, Math.round(SERVER_SEATS / 10))
    const time = ms * NANOSECONDS
    this.waiting.add(waiting / room, time)
    this.executing.add(executing / seats, time)
    this.seats.add(seatsInUse / seats, time)
    this.demand.add((seatsInUse + seatsWaiting) / seats, time)
  }
}
