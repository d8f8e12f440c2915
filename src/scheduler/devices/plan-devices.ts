// Which devices a Pod would get on a node, and whether those that it has can be used there. Pure.
// Upstream: dynamicresources PreFilter, Filter.
import { matchesNodeSelectorTerm } from '../../api/pod/node-affinity.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import type { DeviceRequest, ResourceClaim } from '../../api/types/resource-v1.ts'
import type { NodeInfo } from '../state/node-info.ts'
import { isHopeless } from './binding-conditions.ts'
import type { AllocatedDevices, DeviceObjects } from './device-objects.ts'
import {
  type ExtendedClaim,
  type ExtendedResources,
  extendedOnNode,
  extendedResourcesOf,
} from './extended-resources.ts'
import { type FoundDevices, findDevices } from './find-devices.ts'
import { canBeReserved, claimsOfPod, isReservedFor } from './pod-claims.ts'
import { claimNameOf } from './request-plan.ts'

/** What is known of a Pod's claims before any node is looked at. */
export interface PodDevices {
  readonly pod: Pod
  /** Those that the Pod names. */
  readonly claims: readonly ResourceClaim[]
  readonly extended?: ExtendedResources
  readonly objects: DeviceObjects
  readonly allocated: AllocatedDevices
}

/** Without either, the Pod has nothing to do with devices. */
export type PreparedDevices =
  | { prepared: PodDevices; problem?: undefined }
  | { prepared?: undefined; problem: string }
  | { prepared?: undefined; problem?: undefined }

export function prepareDevices(pod: Pod, objects: DeviceObjects): PreparedDevices {
  const { claims, problem } = claimsOfPod(pod, objects)
  if (!claims) return { problem }
  const extended = extendedResourcesOf(pod, objects)
  if (claims.length === 0 && !extended) return {}
  for (const claim of claims) {
    const trouble = troubleWith(claim, pod, objects)
    if (trouble !== undefined) return { problem: trouble }
  }
  return { prepared: { pod, claims, ...(extended && { extended }), objects, allocated: objects.allocated() } }
}

function troubleWith(claim: ResourceClaim, pod: Pod, objects: DeviceObjects): string | undefined {
  if (claim.status.allocation) {
    return canBeReserved(claim) || isReservedFor(claim, pod) ? undefined : 'resourceclaim in use'
  }
  if (objects.isPending(claim.metadata.uid!)) {
    return `resource claim ${claimNameOf(claim)} is in the process of being allocated`
  }
  for (const request of claim.spec.devices.requests ?? []) {
    const classes = classesOf(request)
    if (classes.length === 0) {
      return `resource claim ${claimNameOf(claim)}, request ${request.name}: unknown request type`
    }
    const unknown = classes.find(({ className }) => !objects.deviceClass(className))
    if (unknown) return `request ${unknown.name}: device class ${unknown.className} does not exist`
  }
  return undefined
}

const classesOf = ({ name, exactly, firstAvailable = [] }: DeviceRequest) =>
  exactly
    ? [{ name, className: exactly.deviceClassName }]
    : firstAvailable.map(one => ({ name: `${name}/${one.name}`, className: one.deviceClassName }))

export interface DevicePlan {
  /** For those of the claims that have none yet. */
  readonly found: readonly FoundDevices[]
  /** The last of `found` is its. */
  readonly extended?: ExtendedClaim
}

export type PlanResult = { plan: DevicePlan; reason?: undefined } | { plan?: undefined; reason: string }

/** Throws AllocationError when a claim or class is at fault. */
export function planDevices(prepared: PodDevices, info: NodeLike): PlanResult {
  const { pod, claims, extended, objects, allocated } = prepared
  const own = extended ? extendedOnNode(pod, extended, info, objects) : 'none'
  if (own !== 'none' && 'reason' in own) return own
  const [now, { node }] = [objects.now(), info]
  const toAllocate = claims.filter(({ status }) => !status.allocation)
  if (own !== 'none') toAllocate.push(own.claim.claim)
  const { found, reason } =
    toAllocate.length === 0
      ? { found: [] }
      : findDevices({
          node,
          claims: toAllocate,
          slices: objects.slices(),
          allocated,
          classOf: name => objects.deviceClass(name),
        })
  if (!found) return { reason }
  if (!claims.every(claim => isUsable(claim, node, now)))
    return { reason: 'resourceclaim not available on the node' }
  return { plan: { found, ...(own !== 'none' && { extended: own.claim }) } }
}

/** What of a node counts here. */
export type NodeLike = Pick<NodeInfo, 'node' | 'allocatable'>

/** A claim without devices can be used anywhere. */
function isUsable(claim: ResourceClaim, node: Node, now: number): boolean {
  const { allocation } = claim.status
  if (!allocation) return true
  const terms = allocation.nodeSelector?.nodeSelectorTerms
  return (!terms || terms.some(term => matchesNodeSelectorTerm(term, node))) && !isHopeless(claim, now)
}

/**
 * A claim that nobody else uses and that keeps the Pod from some node: without its devices it could get others.
 * Upstream: PostFilter. `random` is 0…1.
 */
export function claimToFree(
  pod: Pod,
  { claims, objects }: PodDevices,
  nodes: readonly Node[],
  random: number,
): ResourceClaim | undefined {
  const now = objects.now()
  const idle = claims.filter(
    claim =>
      nodes.some(node => !isUsable(claim, node, now)) &&
      (claim.status.reservedFor ?? []).every(({ uid }) => uid === pod.metadata.uid),
  )
  return idle[Math.floor(random * idle.length)]
}
