// Whether a Pod that fits nowhere is kept away by devices that nobody but it has. Pure. Upstream: dynamicresources
// PostFilter, which runs before preemption.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ResourceClaim } from '../../api/types/resource-v1.ts'
import type { Nowhere } from '../schedule-one.ts'
import type { DeviceObjects } from './device-objects.ts'
import { claimToFree, prepareDevices } from './plan-devices.ts'

export interface Freed {
  /** What is told of it. */
  told: string
  /** To be rid of its devices. */
  claim?: ResourceClaim
  /** To go altogether. */
  extended?: ResourceClaim
  /** Nothing else is tried. */
  isOver?: boolean
}

const NAME = 'DynamicResources'

/** `random` is 0…1. */
export function freeDevices(
  pod: Pod,
  { failure, rejectedBy, cycle }: Nowhere,
  devices: DeviceObjects,
  random: () => number,
): Freed {
  // Upstream's plugin misses what it would have noted had its turn come.
  if (failure.early !== undefined && !rejectedBy.has(NAME)) return { told: 'not found', isOver: true }
  const prepared = failure.early === undefined ? prepareDevices(pod, devices).prepared : undefined
  if (!prepared) return { told: 'no new claims to deallocate' }
  const nodes = cycle.cluster.nodes.map(({ node }) => node)
  const claim = claimToFree(pod, prepared, nodes, random())
  if (claim) return { told: 'deallocation of ResourceClaim completed', claim }
  const extended = prepared.extended?.stale
  return extended
    ? { told: 'deletion of ResourceClaim completed', extended }
    : { told: 'still not schedulable' }
}
