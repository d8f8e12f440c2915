// Serves the custom resources that the stored CustomResourceDefinitions describe, as these come, change and go.
// Upstream: apiextensions-apiserver pkg/apiserver/customresource_handler.go and pkg/controller/{status,establish,finalizer}.
import { isDeepStrictEqual } from 'node:util'
import type { ApiHandler, ApiRequest, UserInfo } from '../../../api/request.ts'
import type { ResourceInfo } from '../../../api/resources.ts'
import { isConflict, isNotFound } from '../../../api/status-error.ts'
import { formatTime } from '../../../api/time.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionStatus,
} from '../../../api/types/apiextensions-v1.ts'
import type { Clock } from '../../../base/clock.ts'
import { Compacted, SlowConsumer, type Storage } from '../../../storage/storage.ts'
import { storageLookup } from '../../admission/storage-lookup.ts'
import type { Endpoint } from '../endpoint.ts'
import { ResourceReader } from '../resource-reader.ts'
import { CLEANUP_FINALIZER } from '../strategies/apiextensions/crd-strategy.ts'
import { acceptedStatus, isEstablished } from './accepted-names.ts'
import { endpointsOf } from './custom-endpoints.ts'

const GROUP = 'apiextensions.k8s.io'
const PREFIX = `/registry/${GROUP}/customresourcedefinitions/`
const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }
/** Between two looks at whether the last object has gone. */
const CLEANUP_PAUSE_MS = 250

interface Served {
  definition: CustomResourceDefinition
  endpoints: Endpoint[]
  /** Ends the watches. */
  stop: AbortController
}

export interface CustomResourcesParts {
  storage: Storage
  clock: Clock
  /** The registry's own: it is asked for statuses and deletions. */
  handle: ApiHandler
  /** Served always; not among the stored definitions. */
  builtin?: readonly CustomResourceDefinition[]
}

export class CustomResources {
  readonly #parts: CustomResourcesParts
  /** Every stored definition, by name. */
  readonly #definitions = new Map<string, CustomResourceDefinition>()
  readonly #served = new Map<string, Served>()
  readonly #byPath = new Map<string, Endpoint>()
  readonly #subscribers = new Set<() => void>()
  readonly #cleaning = new Set<string>()
  #revision = 0

  constructor(parts: CustomResourcesParts) {
    this.#parts = parts
    for (const definition of parts.builtin ?? []) this.#serve(definition)
  }

  find(path: string): Endpoint | undefined {
    return this.#byPath.get(path)
  }

  /** Resources that are served now. */
  resources(): ResourceInfo[] {
    return [...this.#served.values()].flatMap(({ endpoints }) => endpoints.map(({ info }) => info))
  }

  /** The definition behind a resource that is served. */
  definitionOf(group: string, plural: string): CustomResourceDefinition | undefined {
    return this.#served.get(`${plural}.${group}`)?.definition
  }

  definitions(): CustomResourceDefinition[] {
    return [...this.#served.values()].map(({ definition }) => definition)
  }

  /** Calls back after each change of what is served. */
  subscribe(changed: () => void): void {
    this.#subscribers.add(changed)
  }

  /** Serves what is stored already. */
  async load(): Promise<void> {
    const { items, revision } = await this.#parts.storage.list(PREFIX)
    const present = new Set(items.map(({ object }) => object.metadata.name))
    for (const name of this.#definitions.keys()) if (!present.has(name)) this.#remove(name)
    for (const { object } of items) this.#put(object as unknown as CustomResourceDefinition)
    this.#revision = revision
  }

  /** Follows the store until the signal aborts or the store closes. */
  async run(signal: AbortSignal): Promise<void> {
    await this.load()
    for (;;) {
      for (const definition of this.#definitions.values()) this.#settle(definition, signal)
      try {
        for await (const event of this.#parts.storage.watch(PREFIX, { after: this.#revision, signal })) {
          this.#revision = event.revision
          if (event.type === 'put') {
            this.#put(event.object as unknown as CustomResourceDefinition)
            this.#settle(event.object as unknown as CustomResourceDefinition, signal)
          } else if (event.type === 'delete') this.#remove(event.object.metadata.name)
        }
        return
      } catch (error) {
        if (!(error instanceof Compacted || error instanceof SlowConsumer)) throw error
        await this.load()
      }
    }
  }

  #put(definition: CustomResourceDefinition): void {
    const { name } = definition.metadata
    const known = this.#served.get(name)
    this.#definitions.set(name, definition)
    if (!isEstablished(definition)) return
    if (known && isDeepStrictEqual(known.definition.spec, definition.spec)) {
      known.definition = definition
      return
    }
    this.#unserve(name)
    this.#serve(definition)
    this.#tell()
  }

  #serve(definition: CustomResourceDefinition): void {
    const { storage, clock } = this.#parts
    const stop = new AbortController()
    const endpoints = endpointsOf(definition, {
      storeParts: { storage, clock },
      webhooks: { lookup: storageLookup(storage), clock },
      readerFor: store => new ResourceReader(store, storage, clock, stop.signal),
    })
    for (const endpoint of endpoints) this.#byPath.set(pathOf(endpoint.info), endpoint)
    this.#served.set(definition.metadata.name, { definition, endpoints, stop })
  }

  #unserve(name: string): void {
    const known = this.#served.get(name)
    if (!known) return
    for (const { info } of known.endpoints) this.#byPath.delete(pathOf(info))
    this.#served.delete(name)
    known.stop.abort()
  }

  #remove(name: string): void {
    this.#definitions.delete(name)
    if (!this.#served.has(name)) return
    this.#unserve(name)
    this.#tell()
  }

  #tell(): void {
    for (const changed of this.#subscribers) changed()
  }

  /** Accepts names, and empties what is being deleted; what fails is tried again with the next change. */
  #settle(definition: CustomResourceDefinition, signal: AbortSignal): void {
    const { metadata } = definition
    if (metadata.deletionTimestamp) {
      if (metadata.finalizers?.includes(CLEANUP_FINALIZER)) void this.#cleanUp(definition, signal)
      return
    }
    const at = formatTime(this.#parts.clock.now())
    const wanted = acceptedStatus(definition, [...this.#definitions.values()], at)
    if (!isDeepStrictEqual(wanted, definition.status)) {
      void this.#write({ ...definition, status: wanted as CustomResourceDefinitionStatus }, 'status')
    }
  }

  async #write(definition: CustomResourceDefinition, subresource?: string): Promise<void> {
    const { name } = definition.metadata
    const body = structuredClone(definition)
    try {
      await this.#parts.handle({ ...requestFor('update', name), ...(subresource && { subresource }), body })
    } catch (error) {
      // The newer version comes by the watch.
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
  }

  async #cleanUp({ metadata: { name } }: CustomResourceDefinition, signal: AbortSignal): Promise<void> {
    if (this.#cleaning.has(name)) return
    this.#cleaning.add(name)
    try {
      while (!signal.aborted && !(await this.#isEmptied(name))) {
        await this.#parts.clock.sleep(CLEANUP_PAUSE_MS, signal).catch(() => {})
      }
      const definition = this.#definitions.get(name)
      if (signal.aborted || !definition) return
      const finalizers = (definition.metadata.finalizers ?? []).filter(one => one !== CLEANUP_FINALIZER)
      await this.#write({ ...definition, metadata: { ...definition.metadata, finalizers } })
    } finally {
      this.#cleaning.delete(name)
    }
  }

  /** Asks for the end of every object; true when none is left. */
  async #isEmptied(name: string): Promise<boolean> {
    const { storage, handle } = this.#parts
    const [endpoint] = this.#served.get(name)?.endpoints ?? []
    if (!endpoint) return true
    const { info, store } = endpoint
    const { items } = await storage.list(store.prefix)
    for (const { object } of items) {
      const { namespace, name: own, deletionTimestamp } = object.metadata
      if (deletionTimestamp) continue
      const { group, version, resource } = info
      const where = { group, version, resource, name: own, ...(namespace && { namespace }) }
      const request = {
        user: SERVER,
        userAgent: 'kube-apiserver',
        verb: 'delete',
        ...where,
        deleteOptions: {},
      } as const
      await handle(request).catch(error => {
        if (!isNotFound(error)) throw error
      })
    }
    return (await storage.list(store.prefix, { limit: 1 })).items.length === 0
  }
}

function requestFor(verb: ApiRequest['verb'], name: string): ApiRequest {
  return {
    user: SERVER,
    userAgent: 'kube-apiserver',
    verb,
    group: GROUP,
    version: 'v1',
    resource: 'customresourcedefinitions',
    name,
  }
}

export const pathOf = ({
  group,
  version,
  resource,
}: Pick<ResourceInfo, 'group' | 'version' | 'resource'>): string => `${group}/${version}/${resource}`
