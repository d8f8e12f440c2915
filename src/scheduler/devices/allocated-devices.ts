// Which devices are given out, by what claims say. Upstream: scheduler dynamicresources/allocateddevices.go.
import { Quantity } from '../../api/quantity.ts'
import type { DeviceRequestAllocationResult, ResourceClaim } from '../../api/types/resource-v1.ts'
import type { AllocatedDevices } from './device-objects.ts'

/** Names of drivers and devices have no slashes, those of pools may. */
export const deviceId = (driver: string, pool: string, device: string): string =>
  `${driver}/${pool}/${device}`

/** Devices to look at with administrator's rights stay free. */
export function allocatedDevices(claims: Iterable<ResourceClaim>): AllocatedDevices {
  const exclusive = new Set<string>()
  const consumed = new Map<string, Map<string, Quantity>>()
  for (const { status } of claims) {
    for (const result of status?.allocation?.devices.results ?? []) {
      if (result.adminAccess) continue
      const id = deviceId(result.driver, result.pool, result.device)
      if (result.shareID === undefined) exclusive.add(id)
      else addConsumed(consumed, id, result)
    }
  }
  return { exclusive, consumed }
}

function addConsumed(
  consumed: Map<string, Map<string, Quantity>>,
  id: string,
  { consumedCapacity = {} }: DeviceRequestAllocationResult,
): void {
  const sums = consumed.get(id) ?? new Map<string, Quantity>()
  for (const [name, amount] of Object.entries(consumedCapacity)) {
    sums.set(name, (sums.get(name) ?? Quantity.zero).add(Quantity.parse(amount)))
  }
  consumed.set(id, sums)
}
