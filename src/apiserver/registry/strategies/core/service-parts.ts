// What the strategy of Services works with, over one store: the addresses, and the objects that show them.
import type { Service } from '../../../../api/types/core-v1.ts'
import type { PassiveClock } from '../../../../base/clock.ts'
import type { Storage } from '../../../../storage/storage.ts'
import { IpAddressObjects } from './ip-address-objects.ts'
import { holdingsOfService, ServiceAddresses } from './service-addresses.ts'
import type { ServiceStrategyParts } from './service-strategy.ts'

const PREFIX = '/registry/services/'

export function makeServiceParts(
  storage: Storage,
  clock: PassiveClock,
  serviceCidr: string,
): ServiceStrategyParts {
  const addresses = new ServiceAddresses(serviceCidr)
  const objects = new IpAddressObjects(storage, clock, addresses)
  let loading: Promise<void> | undefined
  const load = async () => {
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
    loaded: () => {
      loading ??= load()
      return loading
    },
    find: key => storage.get(PREFIX + key)?.object as unknown as Service | undefined,
  }
}
