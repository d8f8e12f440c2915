// Parts of the API that other servers answer, as APIServices register them: forwarding, discovery, and whether they
// are there. Every group version of this server is registered too, as its own.
// Upstream: kube-aggregator pkg/apiserver and pkg/controllers/{autoregister,status}.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiHandler, UserInfo } from '../../api/request.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { Compacted, SlowConsumer, type Storage } from '../../storage/storage.ts'
import {
  API_SERVICES,
  type ApiService,
  type ApiServiceCondition,
  availability,
  PREFIX,
} from './api-service.ts'
import { ask, type BackendParts, forward, read, unavailable } from './backend.ts'
import { resourcesOf } from './discovered-resources.ts'

const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }
const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged'
/** Between two looks at a server that answers, and at one that does not. */
const LOOK_AGAIN_MS = 30_000
const LOOK_SOON_MS = 2_000
const ANSWER_WITHIN_MS = 5_000

export interface AggregatorParts extends BackendParts {
  storage: Storage
  clock: Clock
  log: Log
  handle: ApiHandler
  /** Tells that what others serve has changed. */
  changed(): void
}

interface Remote {
  service: ApiService
  resources: ResourceInfo[]
  stop: AbortController
}

export class Aggregator {
  readonly #parts: AggregatorParts
  /** By 'group/version'. */
  readonly #remotes = new Map<string, Remote>()
  #revision = 0

  constructor(parts: AggregatorParts) {
    this.#parts = parts
  }

  /** What the others serve, as far as they told. */
  resources(): ResourceInfo[] {
    return [...this.#remotes.values()].flatMap(({ resources }) => resources)
  }

  /** How to answer a request for the path; undefined: it is not another server's. */
  find(
    path: string,
  ):
    | ((exchange: {
        request: IncomingMessage
        response: ServerResponse
        user: UserInfo
        signal: AbortSignal
      }) => Promise<void>)
    | undefined {
    const match = /^\/apis\/([^/]+)\/([^/]+)/.exec(path)
    const remote = match && this.#remotes.get(`${match[1]}/${match[2]}`)
    if (!remote) return undefined
    return async exchange => {
      if (availability(remote.service)?.status === 'False') throw unavailable('service unavailable')
      await forward(remote.service, exchange, this.#parts)
    }
  }

  /** How to read what another server serves; undefined: nobody else serves this group version. */
  reader(
    group: string,
    version: string,
  ): ((path: string, user: UserInfo, signal?: AbortSignal) => Promise<KubeObject>) | undefined {
    const remote = this.#remotes.get(`${group}/${version}`)
    if (!remote) return undefined
    return async (path, user, signal) => {
      if (availability(remote.service)?.status === 'False') throw unavailable('service unavailable')
      return read(remote.service, path, user, this.#parts, signal)
    }
  }

  /** Follows the store until the signal aborts or the store closes. */
  async run(signal: AbortSignal): Promise<void> {
    const { storage } = this.#parts
    for (;;) {
      const { items, revision } = await storage.list(PREFIX)
      this.#revision = revision
      for (const { object } of items) this.#put(object as unknown as ApiService, signal)
      try {
        for await (const event of storage.watch(PREFIX, { after: this.#revision, signal })) {
          this.#revision = event.revision
          if (event.type === 'put') this.#put(event.object as unknown as ApiService, signal)
          else if (event.type === 'delete') this.#remove(event.object as unknown as ApiService)
        }
        return
      } catch (error) {
        if (!(error instanceof Compacted || error instanceof SlowConsumer)) throw error
      }
    }
  }

  #put(service: ApiService, signal: AbortSignal): void {
    const key = keyOf(service)
    const known = this.#remotes.get(key)
    if (!service.spec.service) {
      this.#remove(service)
      if (availability(service)?.reason !== 'Local') void this.#tell(service, LOCAL)
      return
    }
    if (known && isDeepStrictEqual(known.service.spec, service.spec)) {
      known.service = service
      return
    }
    known?.stop.abort()
    const remote: Remote = { service, resources: known?.resources ?? [], stop: new AbortController() }
    this.#remotes.set(key, remote)
    void this.#watchOver(remote, AbortSignal.any([signal, remote.stop.signal]))
  }

  #remove(service: ApiService): void {
    const known = this.#remotes.get(keyOf(service))
    if (!known || known.service.metadata.name !== service.metadata.name) return
    known.stop.abort()
    this.#remotes.delete(keyOf(service))
    this.#parts.changed()
  }

  async #watchOver(remote: Remote, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const condition = await this.#look(remote, signal)
      if (signal.aborted) return
      await this.#tell(remote.service, condition)
      const pause = condition.status === 'True' ? LOOK_AGAIN_MS : LOOK_SOON_MS
      await this.#parts.clock.sleep(pause, signal).catch(() => {})
    }
  }

  async #look(remote: Remote, signal: AbortSignal): Promise<ApiServiceCondition> {
    const { group = '', version = '' } = remote.service.spec
    const late = new AbortController()
    const inTime = new AbortController()
    const overdue = this.#parts.clock.sleep(ANSWER_WITHIN_MS, inTime.signal).then(
      () => late.abort(),
      () => {},
    )
    try {
      const path = `/apis/${group}/${version}`
      const list = await ask(remote.service, path, this.#parts, AbortSignal.any([signal, late.signal]))
      const found = resourcesOf(list, group, version)
      if (!isDeepStrictEqual(found, remote.resources)) {
        remote.resources = found
        this.#parts.changed()
      }
      return { type: 'Available', status: 'True', reason: 'Passed', message: 'all checks passed' }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const message = `failing or missing response: ${why}`
      return { type: 'Available', status: 'False', reason: 'FailedDiscoveryCheck', message }
    } finally {
      inTime.abort()
      await overdue
    }
  }

  async #tell(service: ApiService, condition: ApiServiceCondition): Promise<void> {
    const before = availability(service)
    if (
      before?.status === condition.status &&
      before.reason === condition.reason &&
      before.message === condition.message
    )
      return
    const lastTransitionTime =
      before?.status === condition.status ? before.lastTransitionTime : formatTime(this.#parts.clock.now())
    const conditions = [
      ...(service.status?.conditions ?? []).filter(({ type }) => type !== 'Available'),
      { ...condition, ...(lastTransitionTime && { lastTransitionTime }) },
    ]
    const { name } = service.metadata
    const body = { ...structuredClone(service), status: { ...service.status, conditions } }
    try {
      await this.#parts.handle({
        user: SERVER,
        userAgent: 'kube-apiserver',
        verb: 'update',
        ...API_SERVICES,
        subresource: 'status',
        name,
        body,
      })
    } catch (error) {
      // The newer version comes by the watch.
      if (!isConflict(error) && !isNotFound(error))
        this.#parts.log.warn({ error, name }, 'the status of an APIService is not told')
    }
  }

  /** Registers group versions of this server, and forgets those it registered and serves no more. */
  async registerOwn(groupVersions: readonly { group: string; version: string }[]): Promise<void> {
    const { handle, storage } = this.#parts
    const wanted = new Map(groupVersions.map(gv => [`${gv.version}.${gv.group}`, gv]))
    const { items } = await storage.list(PREFIX)
    const present = new Map(items.map(({ object }) => [object.metadata.name, object]))
    for (const [name, { metadata }] of present) {
      if (wanted.has(name) || !metadata.labels?.[AUTOMANAGED]) continue
      await handle({
        user: SERVER,
        userAgent: 'kube-apiserver',
        verb: 'delete',
        ...API_SERVICES,
        name,
        deleteOptions: {},
      }).catch(() => {})
    }
    const missing = [...wanted].filter(([name]) => !present.has(name))
    await Promise.all(missing.map(([name, gv]) => this.#registerOne(name, gv)))
  }

  async #registerOne(name: string, { group, version }: { group: string; version: string }): Promise<void> {
    const body = {
      apiVersion: `${API_SERVICES.group}/${API_SERVICES.version}`,
      kind: 'APIService',
      metadata: { name, labels: { [AUTOMANAGED]: 'onstart' } },
      spec: {
        ...(group && { group }),
        version,
        groupPriorityMinimum: group === '' ? 18_000 : 17_000,
        versionPriority: version === 'v1' ? 15 : 9,
      },
    }
    try {
      await this.#parts.handle({
        user: SERVER,
        userAgent: 'kube-apiserver',
        verb: 'create',
        ...API_SERVICES,
        body,
      })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }
}

const LOCAL: ApiServiceCondition = {
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
}

const keyOf = ({ spec }: ApiService) => `${spec.group ?? ''}/${spec.version ?? ''}`
