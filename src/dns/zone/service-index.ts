// Everything the zone can answer with, kept current by informers: a change is in the index before the next query is
// looked at, and a query only reads maps.
import { endpointSlices, namespaces, services } from '../../api/resources.ts'
import type { Namespace, Service } from '../../api/types/core-v1.ts'
import type { EndpointSlice } from '../../api/types/discovery-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import { Informer, type InformerHandler } from '../../client/informer.ts'
import { canonicalAddress } from './reverse-name.ts'
import { type ServiceEntry, serviceEntry } from './service-entry.ts'

/** What the zone is answered from. */
export interface ClusterNames {
  hasNamespace(name: string): boolean
  find(namespace: string, name: string): ServiceEntry | undefined
  /** Services that the address belongs to, as cluster IP or as endpoint; the address as canonicalAddress writes it. */
  byAddress(address: string): readonly ServiceEntry[]
}

const SERVICE_OF_SLICE = 'service'
const SERVICE_LABEL = 'kubernetes.io/service-name'

export class ServiceIndex implements ClusterNames {
  readonly #namespaces: Informer<Namespace>
  readonly #services: Informer<Service>
  readonly #slices: Informer<EndpointSlice>
  readonly #entries = new Map<string, ServiceEntry>()
  readonly #byAddress = new Map<string, Set<ServiceEntry>>()

  constructor(options: { client: Client; clock: Clock; log: Log }) {
    this.#namespaces = new Informer({ ...options, resource: namespaces })
    this.#services = new Informer({ ...options, resource: services })
    this.#slices = new Informer({
      ...options,
      resource: endpointSlices,
      labelSelector: SERVICE_LABEL,
      indexers: { [SERVICE_OF_SLICE]: slice => [serviceKeyOf(slice)] },
    })
    this.#services.addHandler(
      onChange(service => this.#refresh(`${service.metadata.namespace}/${service.metadata.name}`)),
    )
    this.#slices.addHandler(onChange(slice => this.#refresh(serviceKeyOf(slice))))
    this.#slices.addHandler({
      // A slice given to another Service leaves the one it was of.
      update: (old, slice) => serviceKeyOf(old) !== serviceKeyOf(slice) && this.#refresh(serviceKeyOf(old)),
    })
  }

  /** Resolves when everything that exists is known. */
  async synced(): Promise<void> {
    await Promise.all([this.#namespaces.synced, this.#services.synced, this.#slices.synced])
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#namespaces.run(signal), this.#services.run(signal), this.#slices.run(signal)])
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.lister.find(name) !== undefined
  }

  find(namespace: string, name: string): ServiceEntry | undefined {
    return this.#entries.get(`${namespace}/${name}`)
  }

  byAddress(address: string): readonly ServiceEntry[] {
    return [...(this.#byAddress.get(address) ?? [])]
  }

  #refresh(key: string): void {
    const old = this.#entries.get(key)
    if (old) this.#forget(key, old)
    const service = this.#services.lister.findByKey(key)
    const entry = service && serviceEntry(service, this.#slices.lister.byIndex(SERVICE_OF_SLICE, key))
    if (!entry) return
    this.#entries.set(key, entry)
    for (const address of addressesOf(entry)) {
      const sharing = this.#byAddress.get(address) ?? new Set()
      this.#byAddress.set(address, sharing.add(entry))
    }
  }

  #forget(key: string, entry: ServiceEntry): void {
    this.#entries.delete(key)
    for (const address of addressesOf(entry)) {
      const sharing = this.#byAddress.get(address)
      sharing?.delete(entry)
      if (sharing?.size === 0) this.#byAddress.delete(address)
    }
  }
}

function onChange<T>(changed: (object: T) => void): InformerHandler<T> {
  return { add: changed, update: (_, object) => changed(object), delete: changed }
}

const serviceKeyOf = ({ metadata }: EndpointSlice) =>
  `${metadata.namespace}/${metadata.labels?.[SERVICE_LABEL]}`

function addressesOf(entry: ServiceEntry): string[] {
  if (entry.kind === 'external') return []
  return [...entry.addresses, ...entry.endpoints.map(({ address }) => address)].map(canonicalAddress)
}
