// An IPAddress object for every cluster address that a Service holds, made and removed along with it. An object that
// somebody else made reserves its address. Upstream: pkg/registry/core/service/ipallocator/ipallocator.go, with the
// repairs of ipallocator/controller/repairip.go at the start.
import type { IPAddress } from '../../../../api/types/networking-v1.ts'
import type { PassiveClock } from '../../../../base/clock.ts'
import type { Storage } from '../../../../storage/storage.ts'
import { formatTime } from '../../object-time.ts'
import type { ServiceAddresses } from './service-addresses.ts'

const PREFIX = '/registry/networking.k8s.io/ipaddresses/'
const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by'
const MANAGER = 'ipallocator.k8s.io'
const FAMILY = 'ipaddress.kubernetes.io/ip-family'

export class IpAddressObjects {
  readonly #storage: Storage
  readonly #clock: PassiveClock
  readonly #addresses: ServiceAddresses

  constructor(storage: Storage, clock: PassiveClock, addresses: ServiceAddresses) {
    this.#storage = storage
    this.#clock = clock
    this.#addresses = addresses
  }

  /** Somebody's object stands for this address, and not the Service's own. */
  isReserved(ip: string, key: string): boolean {
    const stored = this.#storage.get(PREFIX + ip)
    return stored !== undefined && parentOf(stored.object as unknown as IPAddress) !== key
  }

  /** An object that is there already is fine. */
  async ensure(ip: string, key: string): Promise<void> {
    if (this.#storage.get(PREFIX + ip)) return
    await this.#storage.create(PREFIX + ip, ipAddressOf(ip, key, formatTime(this.#clock.now())))
  }

  /** Removes the objects of these addresses, but for those that the stored Service holds. */
  async removeUnused(ips: Iterable<string>, key: string): Promise<void> {
    const held = this.#addresses.storedBy(key).ips
    await Promise.all([...ips].filter(ip => !held.has(ip)).map(ip => this.#remove(ip, key)))
  }

  async #remove(ip: string, key: string): Promise<void> {
    const stored = this.#storage.get(PREFIX + ip)
    if (stored && parentOf(stored.object as unknown as IPAddress) === key)
      await this.#storage.delete(PREFIX + ip, stored.revision)
  }

  /** Makes what is missing and removes what nobody holds any more, after a start. */
  async repair(keys: Iterable<string>): Promise<void> {
    const held = new Map(
      [...keys].flatMap(key => [...this.#addresses.storedBy(key).ips].map(ip => [ip, key])),
    )
    const { items } = await this.#storage.list(PREFIX)
    const leftovers = items.filter(({ object }) => {
      const { metadata } = object
      return metadata.labels?.[MANAGED_BY] === MANAGER && !held.has(metadata.name)
    })
    await Promise.all([
      ...leftovers.map(({ key, revision }) => this.#storage.delete(key, revision)),
      ...[...held].map(([ip, key]) => this.ensure(ip!, key!)),
    ])
  }
}

function parentOf({ spec }: IPAddress): string | undefined {
  const { group = '', resource, namespace, name } = spec?.parentRef ?? {}
  return group === '' && resource === 'services' ? `${namespace}/${name}` : undefined
}

function ipAddressOf(ip: string, key: string, creationTimestamp: string) {
  const [namespace, name] = key.split('/') as [string, string]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: ip,
      uid: crypto.randomUUID(),
      creationTimestamp,
      resourceVersion: '',
      labels: { [FAMILY]: ip.includes(':') ? 'IPv6' : 'IPv4', [MANAGED_BY]: MANAGER },
    },
    spec: { parentRef: { resource: 'services', namespace, name } },
  }
}
