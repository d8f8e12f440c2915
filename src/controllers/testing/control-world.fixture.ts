// Controllers over the real API server with memory storage. Time stands still unless a test moves it.
import type { Draft, Resource } from '../../api/kube-object.ts'
import type { ApiHandler } from '../../api/request.ts'
import { events, namespaces } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Event, Namespace } from '../../api/types/core-v1.ts'
import type { ObjectMeta } from '../../api/types/meta-v1.ts'
import { type AdmissionPlugin, chain } from '../../apiserver/admission/admission.ts'
import { createRegistry } from '../../apiserver/registry/registry.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { Client, type ObjectKey } from '../../client/client.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { MutableCatalog } from '../../client/resource-catalog.ts'
import { MemoryStorage } from '../../storage/memory/memory-storage.ts'

export const START = Date.parse('2026-01-01T00:00:00Z')

export class ControlWorld {
  readonly storage = new MemoryStorage()
  readonly clock: ManualClock
  /** The server itself, for clients that see more. */
  readonly handle: ApiHandler
  readonly client: Client
  readonly catalog = new MutableCatalog()
  readonly log = silentLog
  readonly #running: { abort: AbortController; done: Promise<unknown> }[] = []

  private constructor(startAt: number, plugins: (storage: MemoryStorage) => readonly AdmissionPlugin[]) {
    this.clock = new ManualClock(startAt)
    const registry = createRegistry({
      storage: this.storage,
      clock: this.clock,
      admission: chain(plugins(this.storage)),
      nodeAccess: {
        logs: () => Promise.reject(new Error('there are no nodes')),
        get: () => Promise.reject(new Error('there are no nodes')),
      },
      tokenIssuer: { issue: () => Promise.reject(new Error('there are no tokens')) },
    })
    this.handle = registry.handle
    this.client = new Client(registry.handle, { name: 'tester', groups: ['system:masters'] })
  }

  /** With a namespace 'default'. */
  static async create({
    startAt = START,
    plugins = () => [],
  }: {
    startAt?: number
    plugins?: (storage: MemoryStorage) => readonly AdmissionPlugin[]
  } = {}): Promise<ControlWorld> {
    const world = new ControlWorld(startAt, plugins)
    await world.client.create<Namespace>(namespaces, {
      metadata: { name: 'default' },
    } as Draft<Namespace>)
    return world
  }

  recorder(component: string): EventRecorder {
    const { client, clock, log } = this
    return new EventRecorder({ client, component, clock, log })
  }

  /** Runs a controller until the test's end (or until the returned function is called). */
  start(run: (signal: AbortSignal) => Promise<unknown>): () => Promise<void> {
    const abort = new AbortController()
    const one = { abort, done: run(abort.signal) }
    this.#running.push(one)
    return async () => {
      abort.abort()
      await one.done
    }
  }

  /** Lets everything that is due happen, and moves time by `ms` after that. */
  async advance(ms = 0): Promise<void> {
    await this.settle()
    await this.clock.advance(ms)
    await this.settle()
  }

  /** Until nothing is written any more. */
  async settle(): Promise<void> {
    for (let quiet = 0, last = -1; quiet < 3; ) {
      await settle()
      const revision = this.storage.revision()
      quiet = revision === last ? quiet + 1 : 0
      last = revision
    }
  }

  async find<T>(resource: Resource<T>, key: ObjectKey): Promise<T | undefined> {
    try {
      return await this.client.get(resource, key)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async names<T extends { metadata: ObjectMeta }>(resource: Resource<T>): Promise<string[]> {
    const { items } = await this.client.list(resource)
    return items.map(({ metadata }) => metadata.name)
  }

  /** 'Warning Reason: message', oldest first. */
  async events(): Promise<string[]> {
    const { items } = await this.client.list<Event>(events)
    return items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { abort } of this.#running) abort.abort()
    await Promise.all(this.#running.map(({ done }) => done))
  }
}
