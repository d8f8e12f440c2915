// What is written into a claim when devices were found for it. Pure. Upstream: the end of structured Allocate.
import type { Node, NodeSelector, NodeSelectorRequirement } from '../../api/types/core-v1.ts'
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  ResourceSlice,
} from '../../api/types/resource-v1.ts'
import type { ConsumedCapacity } from './device-objects.ts'
import type { ChosenDevice, FoundDevices } from './find-devices.ts'

/** `newShareId` names one use of a device that many may share. */
export function allocationOf(found: FoundDevices, node: Node, newShareId: () => string): AllocationResult {
  const config = [...classConfig(found), ...claimConfig(found)].map(entry =>
    // For all requests is said by naming none.
    entry.requests?.length === found.requests.length ? withoutRequests(entry) : entry,
  )
  const nodeSelector = nodeSelectorOf(found.devices, node)
  return {
    devices: {
      results: found.devices.map(device => resultOf(device, newShareId)),
      ...(config.length > 0 && { config }),
    },
    ...(nodeSelector && { nodeSelector }),
  }
}

function resultOf(chosen: ChosenDevice, newShareId: () => string): DeviceRequestAllocationResult {
  const { request, device, slice, consumed } = chosen
  const { adminAccess, tolerations } = request.spec
  const { bindingConditions, bindingFailureConditions } = device
  return {
    request: request.name,
    driver: slice.spec.driver,
    pool: slice.spec.pool.name,
    device: device.name,
    ...(adminAccess && { adminAccess }),
    ...(tolerations && { tolerations }),
    ...(bindingConditions && { bindingConditions }),
    ...(bindingFailureConditions && { bindingFailureConditions }),
    ...(consumed && { shareID: newShareId() }),
    ...(consumed && consumed.size > 0 && { consumedCapacity: amountsOf(consumed) }),
  }
}

const amountsOf = (consumed: ConsumedCapacity): Record<string, string> =>
  Object.fromEntries([...consumed].map(([name, amount]) => [name, amount.toString()]))

/** Each class's once, for all requests of that class. */
function classConfig({ requests }: FoundDevices): DeviceAllocationConfiguration[] {
  const classes = new Map(requests.map(request => [request.class.metadata.name, request.class]))
  return [...classes].flatMap(([name, { spec }]) => {
    const names = requests
      .filter(request => request.class.metadata.name === name)
      .map(request => request.name)
    return (spec.config ?? []).map(entry => ({ source: 'FromClass' as const, requests: names, ...entry }))
  })
}

/** Those that name no request, and those that name one that was met the way they mean. */
function claimConfig({ claim, requests }: FoundDevices): DeviceAllocationConfiguration[] {
  return (claim.spec.devices.config ?? [])
    .filter(({ requests: names = [] }) => {
      const isMeant = ({ base, name }: { base: string; name: string }) =>
        names.includes(base) || names.includes(name)
      return names.length === 0 || requests.some(isMeant)
    })
    .map(entry => ({ source: 'FromClaim' as const, ...entry }))
}

function withoutRequests({ requests: _, ...entry }: DeviceAllocationConfiguration) {
  return entry
}

/** Where the devices can be used; undefined: everywhere. */
function nodeSelectorOf(devices: readonly ChosenDevice[], node: Node): NodeSelector | undefined {
  const places = devices.map(({ device, slice }) => ({
    ...placeOf(device, slice),
    bindsToNode: device.bindsToNode,
  }))
  if (places.some(({ nodeName, bindsToNode }) => nodeName !== undefined || bindsToNode)) {
    const values = [node.metadata.name]
    return { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values }] }] }
  }
  const terms = places.flatMap(({ nodeSelector }) => nodeSelector?.nodeSelectorTerms ?? [])
  const matchFields = distinct(terms.flatMap(term => term.matchFields ?? []))
  const matchExpressions = distinct(terms.flatMap(term => term.matchExpressions ?? []))
  if (matchFields.length + matchExpressions.length === 0) return undefined
  const term = {
    ...(matchExpressions.length > 0 && { matchExpressions }),
    ...(matchFields.length > 0 && { matchFields }),
  }
  return { nodeSelectorTerms: [term] }
}

const placeOf = (device: ChosenDevice['device'], { spec }: ResourceSlice) =>
  spec.perDeviceNodeSelection ? device : spec

function distinct(requirements: readonly NodeSelectorRequirement[]): NodeSelectorRequirement[] {
  const keyOf = ({ key, operator, values = [] }: NodeSelectorRequirement) =>
    JSON.stringify([key, operator, values.toSorted()])
  const keys = requirements.map(keyOf)
  return requirements.filter((_, index) => keys.indexOf(keys[index]!) === index)
}
