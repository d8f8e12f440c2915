// The flow schemas and priority levels that are stored now. Tells in each schema's status whether its level is there.
// Upstream: apiserver pkg/util/flowcontrol/apf_controller.go.
import { MANDATORY } from '../../api/flow-control/bootstrap.ts'
import type { ApiHandler } from '../../api/request.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/types/flowcontrol-v1.ts'
import type { PassiveClock } from '../../base/clock.ts'
import { Compacted, SlowConsumer, type Storage, type StorageEvent } from '../../storage/storage.ts'
import { ensureFlowControl, SERVER } from './ensure-flow-control.ts'

const GROUP = 'flowcontrol.apiserver.k8s.io'
const PREFIX = `/registry/${GROUP}/`
const MANAGER = 'api-priority-and-fairness-config-consumer-v1'

export interface FlowConfigurationParts {
  storage: Storage
  handle: ApiHandler
  clock: PassiveClock
  /** Called after each change. */
  changed: () => void
}

export class FlowConfiguration {
  readonly schemas = new Map<string, FlowSchema>()
  readonly levels = new Map<string, PriorityLevelConfiguration>()
  readonly #parts: FlowConfigurationParts
  #revision = 0

  constructor(parts: FlowConfigurationParts) {
    this.#parts = parts
  }

  /** Reads what is stored. Call before `run`, and before the first request. */
  async load(): Promise<void> {
    const { items, revision } = await this.#parts.storage.list(PREFIX)
    this.schemas.clear()
    this.levels.clear()
    for (const { object } of items) this.#put(object as unknown as FlowSchema)
    this.#revision = revision
    this.#parts.changed()
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
    else if (object.kind === 'FlowSchema') this.schemas.delete(object.metadata.name)
    else this.levels.delete(object.metadata.name)
    this.#parts.changed()
    const isMissed = event.type === 'delete' && MANDATORY.includes(object.metadata.name)
    if (isMissed) await ensureFlowControl(this.#parts.handle)
    await this.#settle()
  }

  /** What the store tells late is older than what an answer told. */
  #put(object: FlowSchema | PriorityLevelConfiguration): void {
    const { name, resourceVersion } = object.metadata
    const known = (object.kind === 'FlowSchema' ? this.schemas : this.levels).get(name)
    if (known && Number(known.metadata.resourceVersion) > Number(resourceVersion)) return
    if (object.kind === 'FlowSchema') this.schemas.set(name, object as FlowSchema)
    else this.levels.set(name, object as PriorityLevelConfiguration)
  }

  async #settle(): Promise<void> {
    for (const schema of this.schemas.values()) {
      const wanted = this.#conditionOf(schema)
      const known = schema.status?.conditions?.find(({ type }) => type === 'Dangling')
      if (known?.status === wanted.status && known.message === wanted.message) continue
      await this.#tell(schema, wanted)
    }
  }

  #conditionOf({ spec }: FlowSchema) {
    const level = spec.priorityLevelConfiguration.name
    const text = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
    return this.levels.has(level)
      ? { type: 'Dangling', status: 'False', reason: 'Found', message: `${text} and it exists` }
      : {
          type: 'Dangling',
          status: 'True',
          reason: 'NotFound',
          message: `${text} but there is no such object`,
        }
  }

  /** One that somebody else is changing, or has taken away, is seen again. */
  async #tell({ metadata: { name } }: FlowSchema, wanted: object): Promise<void> {
    const condition = { ...wanted, lastTransitionTime: formatTime(this.#parts.clock.now()) }
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
}
