// What a ResourceClaim costs: itself, and the devices of each class that it may get.
// Upstream: pkg/quota/v1/evaluator/core/resource_claims.go.
import { Quantity } from '../quantity.ts'
import type { DeviceRequest, ExactDeviceRequest, ResourceClaim } from '../types/resource-v1.ts'
import { one, type ResourceAmounts } from './amounts.ts'

const COUNT = 'count/resourceclaims.resource.k8s.io'
const CLASS_SUFFIX = '.deviceclass.resource.k8s.io/devices'
/** A claim can hold no more, and of all devices it may get as many. Upstream: AllocationResultsMaxSize. */
const MOST_DEVICES = 32

export const isDeviceResource = (name: string): boolean => name === COUNT || name.endsWith(CLASS_SUFFIX)

export function deviceUsage({ spec }: ResourceClaim): ResourceAmounts {
  const usage: ResourceAmounts = new Map([[COUNT, one]])
  for (const request of spec.devices?.requests ?? []) {
    for (const [deviceClass, devices] of mostByClass(request)) {
      const name = `${deviceClass}${CLASS_SUFFIX}`
      usage.set(name, (usage.get(name) ?? Quantity.zero).add(Quantity.fromValue(devices)))
    }
  }
  return usage
}

/** Nobody knows yet which alternative it will be: of each class the most counts. */
function mostByClass({ exactly, firstAvailable = [] }: DeviceRequest): Map<string, number> {
  const most = new Map<string, number>()
  for (const { deviceClassName, ...request } of exactly ? [exactly] : firstAvailable) {
    most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, devicesOf(request)))
  }
  return most
}

const devicesOf = ({ allocationMode, count = 0 }: Pick<ExactDeviceRequest, 'allocationMode' | 'count'>) =>
  allocationMode === 'All' ? MOST_DEVICES : count
