// One priority level at work: its queues, its seats, and what is counted for each flow schema that leads to it.
import type { UserInfo } from '../../api/request.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/types/flowcontrol-v1.ts'
import type { RequestInfo } from '../http/request-info.ts'
import type { SeatLimits, Shares } from './allocate-seats.ts'
import { FlowStats } from './flow-stats.ts'
import { QueueSet, type QueueShape } from './queue-set.ts'
import { RetryAfter } from './retry-after.ts'
import { deal, hashFlow } from './shuffle-sharding.ts'

/** Of a level's nominal seats. Upstream: priorityLevelMaxSeatsPercent. */
const MOST_OF_NOMINAL = 0.15
/** Flows whose hands are remembered. */
const MOST_HANDS = 4096

const NO_SEATS: SeatLimits = { nominal: 0, lower: 0, upper: 0 }

export interface Flow {
  distinguisher: string
  /** The queues that it may use. */
  hand: readonly number[]
}

export class PriorityLevel {
  readonly name: string
  readonly queues: QueueSet
  readonly retryAfter = new RetryAfter()
  limits: SeatLimits = NO_SEATS
  /** The level is deleted; it stays until those are done whom it let in. */
  isQuiescing = false
  /** The most seats that one request may take; undefined: no limit of this level. */
  mostSeats: number | undefined
  #configuration: PriorityLevelConfiguration
  readonly #hands = new Map<string, Flow>()
  readonly #stats: Map<string, FlowStats>

  /** `stats` outlives the level: counters do not go back when one of its name is made again. */
  constructor(configuration: PriorityLevelConfiguration, stats: Map<string, FlowStats>, now: number) {
    this.name = configuration.metadata.name
    this.#configuration = configuration
    this.#stats = stats
    this.queues = new QueueSet(shapeOf(configuration), 0, now)
  }

  get uid(): string {
    return this.#configuration.metadata.uid ?? ''
  }

  get isExempt(): boolean {
    return this.#configuration.spec.type === 'Exempt'
  }

  get shares(): Shares {
    const { limited, exempt } = this.#configuration.spec
    const { nominalConcurrencyShares, lendablePercent = 0 } = limited ?? exempt ?? {}
    const { borrowingLimitPercent } = limited ?? {}
    return {
      shares: nominalConcurrencyShares ?? 0,
      lendablePercent,
      borrowingLimitPercent: borrowingLimitPercent ?? undefined,
    }
  }

  get isUnused(): boolean {
    return this.isQuiescing && this.queues.isIdle
  }

  configure(configuration: PriorityLevelConfiguration): void {
    this.#configuration = configuration
    this.#hands.clear()
    this.isQuiescing = false
  }

  limitTo(limits: SeatLimits): void {
    this.limits = limits
    const { handSize } = this.#configuration.spec.limited?.limitResponse.queuing ?? {}
    const ofNominal = Math.ceil(limits.nominal * MOST_OF_NOMINAL)
    this.mostSeats = handSize && Math.max(1, Math.min(ofNominal, Math.floor(limits.nominal / handSize)))
  }

  /** How many may run from now on. */
  setLimit(seats: number, now: number): void {
    this.queues.configure(shapeOf(this.#configuration), seats, now)
  }

  /** Requests of one user, or in one namespace, as the schema says, are one flow. */
  flowOf(schema: FlowSchema, info: RequestInfo, user: UserInfo): Flow {
    const { queuing } = this.#configuration.spec.limited?.limitResponse ?? {}
    const by = queuing && queuing.queues > 1 ? schema.spec.distinguisherMethod?.type : undefined
    const distinguisher =
      by === 'ByUser' ? user.name : by === 'ByNamespace' && info.isResource ? (info.namespace ?? '') : ''
    if (!queuing) return { distinguisher, hand: [] }
    const key = `${schema.metadata.name}\0${distinguisher}`
    const known = this.#hands.get(key)
    if (known) return known
    if (this.#hands.size >= MOST_HANDS) this.#hands.clear()
    const { queues, handSize } = queuing
    const flow = {
      distinguisher,
      hand: deal(hashFlow(schema.metadata.name, distinguisher), queues, handSize),
    }
    this.#hands.set(key, flow)
    return flow
  }

  statsOf(schema: string): FlowStats {
    const known = this.#stats.get(schema)
    if (known) return known
    const stats = new FlowStats(this.name, schema)
    this.#stats.set(schema, stats)
    return stats
  }
}

function shapeOf({ spec }: PriorityLevelConfiguration): QueueShape {
  if (spec.type === 'Exempt') return { queues: 'unlimited', lengthLimit: 0 }
  const { queues = 0, queueLengthLimit = 0 } = spec.limited?.limitResponse.queuing ?? {}
  return { queues, lengthLimit: queueLengthLimit }
}
