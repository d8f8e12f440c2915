// What becomes of a ResourceClaim when Pods come and go. Pure. Upstream: pkg/controller/resourceclaim syncClaim.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ResourceClaim, ResourceClaimConsumerReference } from '../../api/types/resource-v1.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { isDone } from './decide-pod-claims.ts'

/** Set while something is allocated. */
export const FINALIZER = 'resource.kubernetes.io/delete-protection'

export type ClaimStep =
  | { do: 'nothing' }
  | { do: 'updateStatus'; status: ResourceClaim['status'] }
  | { do: 'removeFinalizer' }
  /** It was made for a Pod that does not need it any more. */
  | { do: 'delete' }

/** `find` answers the Pod of a name in the claim's namespace, as the server knows it. */
export function decideClaim(claim: ResourceClaim, find: (name: string) => Pod | undefined): ClaimStep {
  const { metadata, status = {} } = claim
  const reservedFor = status.reservedFor ?? []
  const valid = reservedFor.filter(consumer => isInUse(consumer, find))
  const isProtected = metadata.finalizers?.includes(FINALIZER) ?? false
  if (valid.length < reservedFor.length || (valid.length === 0 && isProtected && status.allocation)) {
    const { reservedFor: _, allocation, ...rest } = status
    const isFree = valid.length === 0 && isProtected
    return {
      do: 'updateStatus',
      status: {
        ...rest,
        ...(valid.length > 0 && { reservedFor: valid }),
        ...(allocation && !isFree && { allocation }),
      },
    }
  }
  if (valid.length > 0) return { do: 'nothing' }
  if (isProtected && !status.allocation) return { do: 'removeFinalizer' }
  const owner = controllerOf(claim)
  if (owner?.kind !== 'Pod' || metadata.deletionTimestamp) return { do: 'nothing' }
  const pod = find(owner.name)
  // One whose Pod is gone is the garbage collector's.
  return pod && (pod.metadata.uid !== owner.uid || isDone(pod)) ? { do: 'delete' } : { do: 'nothing' }
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
