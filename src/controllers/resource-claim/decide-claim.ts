// What becomes of a ResourceClaim when Pods come and go. Pure. Upstream: pkg/controller/resourceclaim syncClaim.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ResourceClaim, ResourceClaimConsumerReference } from '../../api/types/resource-v1.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { isDone } from './decide-pod-claims.ts'

/** Set while something is allocated. */
export const FINALIZER = 'resource.kubernetes.io/delete-protection'

export type ClaimStep =
  | { do: 'nothing' }
  /** `isFree`: it has no devices any more, and needs its guard no longer. */
  | { do: 'updateStatus'; status: ResourceClaim['status']; isFree: boolean }
  | { do: 'removeFinalizer' }
  /** It was made for a Pod that does not need it any more. */
  | { do: 'delete' }

/** `find` answers the Pod of a name in the claim's namespace, as the server knows it. */
export function decideClaim(claim: ResourceClaim, find: (name: string) => Pod | undefined): ClaimStep {
  const { metadata, status = {} } = claim
  const reservedFor = status.reservedFor ?? []
  const valid = reservedFor.filter(consumer => isInUse(consumer, find))
  const isProtected = metadata.finalizers?.includes(FINALIZER) ?? false
  if (valid.length < reservedFor.length) return withConsumers(status, valid, isProtected)
  if (valid.length > 0) return { do: 'nothing' }
  if (isProtected && metadata.deletionTimestamp) {
    return status.allocation ? withConsumers(status, [], true) : { do: 'removeFinalizer' }
  }
  const owner = controllerOf(claim)
  if (owner?.kind !== 'Pod' || metadata.deletionTimestamp) return { do: 'nothing' }
  const pod = find(owner.name)
  // One whose Pod is gone is the garbage collector's.
  return pod && (pod.metadata.uid !== owner.uid || isDone(pod)) ? { do: 'delete' } : { do: 'nothing' }
}

/** Devices are given back when the last user goes. A claim that nobody has used yet keeps them: somebody is about to. */
function withConsumers(
  { reservedFor: _, allocation, devices, ...rest }: ResourceClaim['status'],
  consumers: ResourceClaimConsumerReference[],
  isProtected: boolean,
): ClaimStep {
  const isFree = consumers.length === 0 && isProtected
  const status = {
    ...rest,
    ...(consumers.length > 0 && { reservedFor: consumers }),
    ...(!isFree && allocation && { allocation }),
    ...(!isFree && devices && { devices }),
  }
  return { do: 'updateStatus', status, isFree }
}

/** Consumers of other kinds are nobody's to judge here. */
function isInUse(
  { apiGroup, resource, name, uid }: ResourceClaimConsumerReference,
  find: (name: string) => Pod | undefined,
): boolean {
  if (apiGroup || resource !== 'pods') return true
  const pod = find(name)
  return pod?.metadata.uid === uid && !isDone(pod)
}
