// How many requests run and wait in all levels together, reads and writes apart.
import type { RequestInfo } from '../http/request-info.ts'
import { HighWatermark } from './high-watermark.ts'
import { Tally } from './tally.ts'

export type RequestKind = 'readOnly' | 'mutating'

const READS = new Set(['get', 'list', 'watch'])
const NANOSECONDS = 1e6
const PARTS = [0, 0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1]

export const kindOf = ({ verb }: RequestInfo): RequestKind => (READS.has(verb) ? 'readOnly' : 'mutating')

/** A number of requests, its peak of late, and how much of the room it took for how long. */
export class Crowd {
  readonly peak = new HighWatermark()
  /** In parts of the room, counted every nanosecond. */
  readonly parts = new Tally(PARTS)
  /** How many there may be. */
  room = 1
  #count = 0
  #since: number | undefined

  change(by: number, now: number): void {
    this.sync(now)
    this.#count += by
    this.peak.change(by, now)
  }

  /** Accounts for the time until now. */
  sync(now: number): void {
    const ms = now - (this.#since ?? now)
    this.#since = now
    if (ms > 0) this.parts.add(this.#count / this.room, ms * NANOSECONDS)
  }
}

export class InFlight {
  readonly executing = { readOnly: new Crowd(), mutating: new Crowd() }
  readonly waiting = { readOnly: new Crowd(), mutating: new Crowd() }

  /** How many may run and how many may wait, in all levels together. */
  setRoom(executing: number, waiting: number): void {
    for (const crowd of Object.values(this.executing)) crowd.room = Math.max(1, executing)
    for (const crowd of Object.values(this.waiting)) crowd.room = Math.max(1, waiting)
  }
}
