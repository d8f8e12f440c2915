// The door of the API server: sorts requests into flows, lets as many run as their priority level has seats for, makes
// others wait and refuses what is too much. Only requests over HTTP come this way. What this process's own parts ask of
// the API runs on the same thread as they do: a queue would not make it less, and a part that waits for a seat that its
// own caller holds would wait in vain. Upstream: apiserver pkg/util/flowcontrol and KEP-1040.
import type { Registry } from 'prom-client'
import { flowSchemas } from '../../api/flow-control/bootstrap.ts'
import type { ApiHandler, UserInfo } from '../../api/request.ts'
import type { FlowSchema } from '../../api/types/flowcontrol-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import type { RequestInfo } from '../http/request-info.ts'
import { classify, inOrder } from './classify.ts'
import { dump } from './dump.ts'
import { FlowConfiguration } from './flow-configuration.ts'
import { addFlowMetrics } from './flow-metrics.ts'
import { InFlight } from './in-flight.ts'
import type { PriorityLevel } from './priority-level.ts'
import { PriorityLevels } from './priority-levels.ts'
import { StoredSizes } from './stored-sizes.ts'
import { Ticket } from './ticket.ts'
import { Turn } from './turn.ts'
import { WatchCounts } from './watch-counts.ts'
import { estimateWork } from './work-estimate.ts'

/** Upstream: borrowingAdjustmentPeriod. */
const ADJUST_EVERY_MS = 10_000

export interface FlowControlParts {
  storage: Storage
  handle: ApiHandler
  clock: Clock
  metrics: Registry
}

/** What the door sees of a request. */
export interface Asked {
  info: RequestInfo
  user: UserInfo
  query: URLSearchParams
}

export class FlowControl {
  readonly #clock: Clock
  readonly #configuration: FlowConfiguration
  readonly #levels: PriorityLevels
  readonly #sizes: StoredSizes
  readonly #watches = new WatchCounts()
  readonly #inFlight = new InFlight()
  #ordered: FlowSchema[] = []
  #catchAll = mandatorySchema('catch-all')

  constructor({ storage, handle, clock, metrics }: FlowControlParts) {
    this.#clock = clock
    this.#levels = new PriorityLevels(clock.now())
    this.#sizes = new StoredSizes(storage, clock)
    const changed = () => this.#configure()
    this.#configuration = new FlowConfiguration({ storage, handle, clock, changed })
    this.#configure()
    addFlowMetrics(metrics, { levels: this.#levels, inFlight: this.#inFlight, clock })
  }

  /** Reads what is stored. Until then everybody but administrators is in the last level. */
  load(): Promise<void> {
    return this.#configuration.load()
  }

  /** Follows what is stored, and lends seats, until the signal aborts or the store closes. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#configuration.run(signal), this.#keepAdjusted(signal)])
  }

  /** Call `close` of what it answers when the request is over, however it ends. */
  enter({ info, user, query }: Asked): Turn {
    const schema = classify(info, user, this.#ordered) ?? this.#catchAll
    const level = this.#levelOf(schema)
    const stats = level.statsOf(schema.metadata.name)
    const { distinguisher, hand } = level.flowOf(schema, info, user)
    const work = estimateWork(info, query, {
      stored: ({ group, resource }) => this.#sizes.of(group, resource),
      watchers: resource => {
        const count = this.#watches.interestedIn(resource)
        stats.watchers.add(count)
        return count
      },
      mostSeats: level.mostSeats,
    })
    const ticket = new Ticket({ info, user, stats, flow: distinguisher, hand, work })
    stats.seats.add(ticket.seats)
    const verdict = level.queues.arrive(ticket, this.#clock.now())
    const isWatch = info.isResource && info.verb === 'watch'
    const turn = {
      ticket,
      level,
      schemaUid: schema.metadata.uid ?? '',
      inFlight: this.#inFlight,
      clock: this.#clock,
      unused: () => this.#configure(),
      watch: isWatch ? () => this.#watches.add(info) : undefined,
    }
    return new Turn(turn, verdict)
  }

  /** The text of a debugging path, if it is one. */
  dump(path: string, query: URLSearchParams): string | undefined {
    return dump(path, query, this.#levels)
  }

  /** Schemas are only asked while their level is there. */
  #levelOf({ spec }: FlowSchema): PriorityLevel {
    const level = this.#levels.get(spec.priorityLevelConfiguration.name)
    if (!level) throw new Error(`no priority level ${spec.priorityLevelConfiguration.name}`)
    return level
  }

  #configure(): void {
    const { schemas, levels } = this.#configuration
    this.#levels.configure([...levels.values()], this.#clock.now())
    const { executing, waiting } = this.#levels.room()
    this.#inFlight.setRoom(executing, waiting)
    const known = new Map(
      [mandatorySchema('exempt'), mandatorySchema('catch-all')].map(one => [one.metadata.name, one]),
    )
    for (const [name, schema] of schemas) known.set(name, schema)
    const isThere = (name: string) => this.#levels.get(name)?.isQuiescing === false
    this.#ordered = inOrder([...known.values()], isThere)
    this.#catchAll = known.get('catch-all') ?? this.#catchAll
  }

  async #keepAdjusted(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(ADJUST_EVERY_MS, signal).catch(() => {})
      if (!signal.aborted) this.#levels.adjust(this.#clock.now())
    }
  }
}

/** For as long as it is not stored. */
function mandatorySchema(name: 'exempt' | 'catch-all'): FlowSchema {
  return { metadata: { name }, spec: flowSchemas[name] } as FlowSchema
}
