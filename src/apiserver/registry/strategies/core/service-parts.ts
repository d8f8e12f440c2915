// What the strategy of Services works with, over one store: the addresses, and the objects that show them.
import type { Service } from '../../../../api/types/core-v1.ts'
import type { ServiceCIDR } from '../../../../api/types/networking-v1.ts'
import type { PassiveClock } from '../../../../base/clock.ts'
import type { Storage } from '../../../../storage/storage.ts'
import { IpAddressObjects } from './ip-address-objects.ts'
import { holdingsOfService, ServiceAddresses } from './service-addresses.ts'
import type { ServiceStrategyParts } from './service-strategy.ts'

const PREFIX = '/registry/services/'
const RANGES = '/registry/networking.k8s.io/servicecidrs/'

export interface ServiceParts extends ServiceStrategyParts {
  /** Looks at the ServiceCIDR objects anew. */
  rangesChanged(): Promise<void>
}

export function makeServiceParts(storage: Storage, clock: PassiveClock, serviceCidr: string): ServiceParts {
  const addresses = new ServiceAddresses(serviceCidr)
  const objects = new IpAddressObjects(storage, clock, addresses)
  let loading: Promise<void> | undefined
  const rangesChanged = async () => {
    const { items } = await storage.list(RANGES)
    const usable = items.map(({ object }) => object as unknown as ServiceCIDR).filter(isUsable)
    addresses.setMoreRanges(usable.flatMap(({ spec }) => spec?.cidrs ?? []))
  }
  const load = async () => {
    await rangesChanged()
    const keys: string[] = []
    for (const { key, object } of (await storage.list(PREFIX)).items) {
      keys.push(key.slice(PREFIX.length))
      addresses.settle(keys.at(-1)!, holdingsOfService(object as unknown as Service))
    }
    await objects.repair(keys)
  }
  return {
    addresses,
    objects,
    rangesChanged,
    loaded: () => {
      loading ??= load()
      return loading
    },
    find: key => storage.get(PREFIX + key)?.object as unknown as Service | undefined,
  }
}

/** The controller says that it is ready; one that is to go gives no more addresses. */
const isUsable = ({ metadata, status }: ServiceCIDR) =>
  !metadata.deletionTimestamp &&
  (status?.conditions?.some(one => one.type === 'Ready' && one.status === 'True') ?? false)
