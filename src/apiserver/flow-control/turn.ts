// One request on its way through its priority level.
import type { Clock } from '../../base/clock.ts'
import { type InFlight, kindOf } from './in-flight.ts'
import type { PriorityLevel } from './priority-level.ts'
import type { Verdict } from './queue-set.ts'
import type { Ticket } from './ticket.ts'

/** Refused. Upstream answers it in plain text: tooManyRequests in apiserver pkg/server/filters/maxinflight.go. */
export class TooManyRequests extends Error {
  readonly retryAfterSeconds: number

  constructor(retryAfterSeconds: number) {
    super('Too many requests, please try again later.')
    this.name = 'TooManyRequests'
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export interface TurnParts {
  ticket: Ticket
  level: PriorityLevel
  schemaUid: string
  inFlight: InFlight
  clock: Clock
  /** Called when a level that is deleted has nobody left. */
  unused: () => void
  /** Counts the watch, if it is one; answers how to tell that it is over. */
  watch: (() => () => void) | undefined
}

export class Turn {
  readonly schemaUid: string
  readonly levelUid: string
  readonly #parts: TurnParts
  readonly #verdict: Verdict
  #hasSeat = false
  #forget: (() => void) | undefined

  constructor(parts: TurnParts, verdict: Verdict) {
    this.#parts = parts
    this.#verdict = verdict
    this.schemaUid = parts.schemaUid
    this.levelUid = parts.level.uid
    if (verdict === 'running') this.#run()
  }

  /** False: `begin` has to be waited for. */
  get isRunning(): boolean {
    return this.#hasSeat
  }

  /** Until there is a seat. Throws TooManyRequests when there is none in time, or the caller goes away. */
  async begin(signal: AbortSignal, limitMs: number): Promise<void> {
    if (this.#verdict === 'waiting') {
      const outcome = await this.#wait(signal, limitMs)
      if (outcome === 'running') return this.#run()
    }
    const { level, clock, unused } = this.#parts
    this.#noteWaited('false')
    if (level.isUnused) unused()
    throw new TooManyRequests(level.retryAfter.refuse(clock.now()))
  }

  /** Gives the seat back; the watch, if it is one, goes on. */
  leave(): void {
    if (!this.#hasSeat) return
    this.#hasSeat = false
    const { ticket, level, inFlight, clock } = this.#parts
    const now = clock.now()
    const { executed } = ticket.stats
    const seconds = Math.max(0, now - (ticket.startedAt ?? now)) / 1000
    executed[ticket.info.verb === 'watch' ? 'watch' : 'regular'].add(seconds)
    inFlight.executing[kindOf(ticket.info)].change(-1, now)
    const lingerMs = level.queues.finish(ticket, now)
    if (lingerMs > 0) void this.#linger(lingerMs)
    if (level.isUnused) this.#parts.unused()
  }

  /** The request is over. */
  close(): void {
    this.leave()
    this.#forget?.()
  }

  #run(): void {
    this.#hasSeat = true
    const { ticket, inFlight, clock, watch } = this.#parts
    inFlight.executing[kindOf(ticket.info)].change(1, clock.now())
    this.#forget = watch?.()
    this.#noteWaited('true')
  }

  async #wait(signal: AbortSignal, limitMs: number): Promise<'running' | 'refused'> {
    const { ticket, level, inFlight, clock } = this.#parts
    const waiting = inFlight.waiting[kindOf(ticket.info)]
    const over = new AbortController()
    waiting.change(1, clock.now())
    const called = new Promise<'running'>(resolve => {
      ticket.started = () => resolve('running')
    })
    const overdue = clock.sleep(limitMs, AbortSignal.any([signal, over.signal])).then(
      () => 'time-out' as const,
      () => 'cancelled' as const,
    )
    const outcome = await Promise.race([called, overdue])
    over.abort('the wait is over')
    waiting.change(-1, clock.now())
    // Its turn may have come at the same moment.
    if (outcome === 'running' || !level.queues.giveUp(ticket, outcome, clock.now())) return 'running'
    return 'refused'
  }

  async #linger(ms: number): Promise<void> {
    const { ticket, level, clock } = this.#parts
    await clock.sleep(ms)
    level.queues.release(ticket, clock.now())
  }

  /** Those that never wait have no waiting time. */
  #noteWaited(ran: 'true' | 'false'): void {
    const { ticket, level, clock } = this.#parts
    if (level.isExempt) return
    ticket.stats.waited[ran].add(Math.max(0, (ticket.startedAt ?? clock.now()) - ticket.arrivedAt) / 1000)
  }
}
