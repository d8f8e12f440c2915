// All priority levels: what is stored becomes queues, and seats that one level does not need are lent to others, as they
// were needed in the last seconds. Upstream: apf_controller.go.
import { MANDATORY, priorityLevels } from '../../api/flow-control/bootstrap.ts'
import type { PriorityLevelConfiguration } from '../../api/types/flowcontrol-v1.ts'
import { allocateSeats, limitsOf } from './allocate-seats.ts'
import type { FlowStats } from './flow-stats.ts'
import { PriorityLevel } from './priority-level.ts'
import type { DemandFigures } from './seat-demand.ts'

export interface Adjustment extends DemandFigures {
  target: number
}

export class PriorityLevels {
  readonly #levels = new Map<string, PriorityLevel>()
  readonly #stats = new Map<string, Map<string, FlowStats>>()
  readonly adjustments = new Map<string, Adjustment>()
  fairFraction = 0

  /** Those that every server must have are there before anything is stored. */
  constructor(now: number) {
    this.configure([], now)
  }

  get(name: string): PriorityLevel | undefined {
    return this.#levels.get(name)
  }

  /** In the order of their names. */
  all(): PriorityLevel[] {
    return [...this.#levels.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** How many may run and how many may wait, all together. */
  room(): { executing: number; waiting: number } {
    let [executing, waiting] = [0, 0]
    for (const { limits, queues } of this.#levels.values()) {
      executing += limits.nominal
      if (queues.shape.queues !== 'unlimited') waiting += queues.shape.queues * queues.shape.lengthLimit
    }
    return { executing, waiting }
  }

  *stats(): Iterable<FlowStats> {
    for (const ofLevel of this.#stats.values()) yield* ofLevel.values()
  }

  /** Takes over what is stored. Levels that are gone refuse nobody whom they let in. */
  configure(stored: readonly PriorityLevelConfiguration[], now: number): void {
    const wanted = new Map([...mandatory(), ...stored].map(one => [one.metadata.name, one]))
    const made: PriorityLevel[] = []
    for (const [name, configuration] of wanted) {
      const known = this.#levels.get(name)
      if (known) known.configure(configuration)
      else made.push(this.#make(name, configuration, now))
    }
    for (const [name, level] of this.#levels) {
      if (wanted.has(name)) continue
      level.isQuiescing = true
      if (level.isUnused) this.#forget(name)
    }
    this.#share(made, now)
    this.adjust(now)
  }

  /** Lends and borrows by what was needed since the last time. */
  adjust(now: number): void {
    const wishes = this.all().map(level => {
      const { nominal, lower, upper } = level.limits
      const figures = level.queues.demand.close(now)
      const least = Math.max(lower, Math.min(nominal, figures.highWatermark))
      return { level, figures, lower: least, upper, target: Math.max(least, figures.smoothed) }
    })
    const sum = wishes.reduce((total, { level }) => total + level.limits.nominal, 0)
    const allocation = allocateSeats(sum, wishes)
    for (const [at, { level, figures, target }] of wishes.entries()) {
      this.adjustments.set(level.name, { ...figures, target })
      level.setLimit(Math.round(allocation?.seats[at] ?? level.queues.limit), now)
    }
    if (allocation) this.fairFraction = allocation.fairFraction
  }

  #make(name: string, configuration: PriorityLevelConfiguration, now: number): PriorityLevel {
    const stats = this.#stats.get(name) ?? new Map<string, FlowStats>()
    this.#stats.set(name, stats)
    const level = new PriorityLevel(configuration, stats, now)
    this.#levels.set(name, level)
    return level
  }

  #forget(name: string): void {
    this.#levels.delete(name)
    this.adjustments.delete(name)
  }

  /** New levels begin with half of what they may lend lent. */
  #share(made: readonly PriorityLevel[], now: number): void {
    const shares = new Map([...this.#levels.values()].map(level => [level, level.shares]))
    const all = [...shares.values()].reduce((sum, one) => sum + one.shares, 0)
    for (const [level, one] of shares) level.limitTo(limitsOf(one, all))
    for (const level of made) {
      const { nominal, lower } = level.limits
      level.setLimit(nominal - Math.trunc((nominal - lower) / 2), now)
    }
  }
}

function mandatory(): PriorityLevelConfiguration[] {
  const levels = MANDATORY.map(name => ({
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata: { name },
    spec: priorityLevels[name]!,
    status: {},
  }))
  return levels as PriorityLevelConfiguration[]
}
