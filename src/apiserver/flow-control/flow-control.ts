// Sorts requests into flows, by the schemas and levels that are stored now, and tells in each schema's status whether its
// level is there. How many requests run at once is bounded elsewhere, for all together: http/max-in-flight.ts.
// Upstream: apiserver pkg/util/flowcontrol/apf_controller.go.
import { Counter, Gauge, type Registry } from 'prom-client'
import { MANDATORY } from '../../api/flow-control/bootstrap.ts'
import type { ApiHandler, UserInfo } from '../../api/request.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/types/flowcontrol-v1.ts'
import type { Clock } from '../../base/clock.ts'
import { Compacted, SlowConsumer, type Storage, type StorageEvent } from '../../storage/storage.ts'
import type { RequestInfo } from '../http/request-info.ts'
import { classify, inOrder } from './classify.ts'
import { ensureFlowControl, SERVER } from './ensure-flow-control.ts'

const GROUP = 'flowcontrol.apiserver.k8s.io'
const PREFIX = `/registry/${GROUP}/`
const MANAGER = 'api-priority-and-fairness-config-consumer-v1'
/** What levels share: upstream's limits for reads and writes together. */
const SEATS = 600

export interface Flow {
  schemaUid: string
  levelUid: string
}

export interface FlowControlParts {
  storage: Storage
  handle: ApiHandler
  clock: Clock
  metrics: Registry
}

export class FlowControl {
  readonly #parts: FlowControlParts
  readonly #schemas = new Map<string, FlowSchema>()
  readonly #levels = new Map<string, PriorityLevelConfiguration>()
  readonly #dispatched: Counter
  #ordered: FlowSchema[] = []
  #revision = 0

  constructor(parts: FlowControlParts) {
    this.#parts = parts
    const registers = [parts.metrics]
    this.#dispatched = new Counter({
      name: 'apiserver_flowcontrol_dispatched_requests_total',
      help: 'Requests that were let through, by what they were sorted into.',
      labelNames: ['priority_level', 'flow_schema'],
      registers,
    })
    const seats = () => this.#seats()
    new Gauge({
      name: 'apiserver_flowcontrol_nominal_limit_seats',
      help: 'The share of each priority level in what may run at once.',
      labelNames: ['priority_level'],
      registers,
      collect() {
        this.reset()
        for (const [level, count] of seats()) this.set({ priority_level: level }, count)
      },
    })
  }

  /** Reads what is stored. Call before `run`, and before the first request. */
  async load(): Promise<void> {
    const { items, revision } = await this.#parts.storage.list(PREFIX)
    this.#schemas.clear()
    this.#levels.clear()
    for (const { object } of items) this.#put(object as unknown as FlowSchema)
    this.#sort()
    this.#revision = revision
  }

  /** undefined: nothing is stored that it belongs to. */
  classify(info: RequestInfo, user: UserInfo): Flow | undefined {
    const schema = classify(info, user, this.#ordered)
    const level = this.#levels.get(schema?.spec.priorityLevelConfiguration.name ?? '')
    if (!schema || !level) return undefined
    this.#dispatched.inc({ priority_level: level.metadata.name, flow_schema: schema.metadata.name })
    return { schemaUid: schema.metadata.uid ?? '', levelUid: level.metadata.uid ?? '' }
  }

  /** Follows the store until the signal aborts or the store closes. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#settle()
        for await (const event of this.#parts.storage.watch(PREFIX, { after: this.#revision, signal })) {
          if (event.type === 'progress') continue
          await this.#follow(event)
          this.#revision = event.revision
        }
        return
      } catch (error) {
        if (!(error instanceof Compacted || error instanceof SlowConsumer)) throw error
        await this.load()
      }
    }
  }

  async #follow(event: Exclude<StorageEvent, { type: 'progress' }>): Promise<void> {
    const object = event.object as unknown as FlowSchema
    if (event.type === 'put') this.#put(object)
    else if (object.kind === 'FlowSchema') this.#schemas.delete(object.metadata.name)
    else this.#levels.delete(object.metadata.name)
    this.#sort()
    const isMissed = event.type === 'delete' && MANDATORY.includes(object.metadata.name)
    if (isMissed) await ensureFlowControl(this.#parts.handle)
    await this.#settle()
  }

  /** What the store tells late is older than what an answer told. */
  #put(object: FlowSchema | PriorityLevelConfiguration): void {
    const { name, resourceVersion } = object.metadata
    const known = (object.kind === 'FlowSchema' ? this.#schemas : this.#levels).get(name)
    if (known && Number(known.metadata.resourceVersion) > Number(resourceVersion)) return
    if (object.kind === 'FlowSchema') this.#schemas.set(name, object as FlowSchema)
    else this.#levels.set(name, object as PriorityLevelConfiguration)
  }

  #sort(): void {
    this.#ordered = inOrder([...this.#schemas.values()], level => this.#levels.has(level))
  }

  async #settle(): Promise<void> {
    for (const schema of this.#schemas.values()) {
      const level = schema.spec.priorityLevelConfiguration.name
      const status = this.#levels.has(level) ? 'False' : 'True'
      const known = schema.status?.conditions?.find(({ type }) => type === 'Dangling')
      if (known?.status !== status) await this.#tell(schema, level, status)
    }
  }

  /** One that somebody else is changing, or has taken away, is seen again. */
  async #tell(schema: FlowSchema, level: string, status: 'True' | 'False'): Promise<void> {
    const { name } = schema.metadata
    const text = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
    const condition = {
      type: 'Dangling',
      status,
      lastTransitionTime: formatTime(this.#parts.clock.now()),
      reason: status === 'True' ? 'NotFound' : 'Found',
      message: status === 'True' ? `${text} but there is no such object` : `${text} and it exists`,
    }
    const kind = { apiVersion: `${GROUP}/v1`, kind: 'FlowSchema' }
    const document = { ...kind, metadata: { name }, status: { conditions: [condition] } }
    const at = { group: GROUP, version: 'v1', resource: 'flowschemas', subresource: 'status', name }
    try {
      const answer = await this.#parts.handle({
        ...at,
        user: SERVER,
        verb: 'patch',
        patch: { type: 'application/apply-patch+yaml', document },
        options: { fieldManager: MANAGER, force: true },
      })
      if (answer.kind === 'object') this.#put(answer.object as unknown as FlowSchema)
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
  }

  /** Upstream: each level's shares of all. */
  #seats(): [level: string, seats: number][] {
    const shares = [...this.#levels.values()].map(({ metadata, spec }): [string, number] => {
      const { nominalConcurrencyShares = 0 } = spec.limited ?? spec.exempt ?? {}
      return [metadata.name, nominalConcurrencyShares ?? 0]
    })
    const total = shares.reduce((sum, [, count]) => sum + count, 0)
    return shares.map(([name, count]) => [name, total === 0 ? 0 : Math.ceil((SEATS * count) / total)])
  }
}
