// Which ResourceClaims a pod has, and which of their requests a container names. Pure.
// Upstream: dynamic-resource-allocation/resourceclaim, cm/dra/manager.go GetResources.
import { Quantity } from '../../api/quantity.ts'
import type { Container, Pod } from '../../api/types/core-v1.ts'
import type { ResourceClaim } from '../../api/types/resource-v1.ts'

export interface NamedClaim {
  /** In the pod's spec; '' for the one that the scheduler made for extended resources. */
  podClaim: string
  /** Of the object. */
  name: string
  /** Made for the pod: it must be the pod's own. */
  isGenerated: boolean
}

/** Those that the pod needs. Throws with the text that the pod shows when one is still to be made. */
export function claimsOf({ metadata, spec, status }: Pod): NamedClaim[] {
  const named = (spec.resourceClaims ?? []).flatMap(({ name: podClaim, resourceClaimName }): NamedClaim[] => {
    if (resourceClaimName) return [{ podClaim, name: resourceClaimName, isGenerated: false }]
    const told = status.resourceClaimStatuses?.find(one => one.name === podClaim)
    if (!told) throw new Error(`pod "${metadata.namespace}/${metadata.name}": ResourceClaim not created yet`)
    // Without a name: none is needed.
    return told.resourceClaimName ? [{ podClaim, name: told.resourceClaimName, isGenerated: true }] : []
  })
  const extended = status.extendedResourceClaimStatus?.resourceClaimName
  return extended ? [...named, { podClaim: '', name: extended, isGenerated: false }] : named
}

export interface ContainerRequest {
  /** Of the object. */
  claim: string
  podClaim: string
  /** '': all that the claim has. */
  request: string
}

export function requestsOf(pod: Pod, container: Container): ContainerRequest[] {
  const wanted = container.resources?.claims ?? []
  const extended = pod.status.extendedResourceClaimStatus
  if (wanted.length === 0 && !extended) return []
  const claims = claimsOf(pod)
  const named = wanted.flatMap(({ name, request = '' }) => {
    const claim = claims.find(({ podClaim }) => podClaim === name)
    return claim ? [{ claim: claim.name, podClaim: name, request }] : []
  })
  const asked = container.resources?.requests ?? {}
  const mapped = (extended?.requestMappings ?? [])
    .filter(
      one => one.containerName === container.name && !Quantity.parse(asked[one.resourceName] ?? '0').isZero,
    )
    .map(({ requestName }) => ({ claim: extended!.resourceClaimName, podClaim: '', request: requestName }))
  return [...named, ...mapped]
}

/** Throws with the text that the pod shows when the pod may not have the claim. */
export function checkClaim(pod: Pod, { isGenerated }: NamedClaim, claim: ResourceClaim): void {
  const { name, namespace, uid } = pod.metadata
  const isOwner = claim.metadata.ownerReferences?.some(one => one.controller && one.uid === uid) ?? false
  if (isGenerated && !isOwner) {
    const whose = `pod ${namespace}/${name} (pod is not owner)`
    throw new Error(
      `ResourceClaim ${claim.metadata.namespace}/${claim.metadata.name} was not created for ${whose}`,
    )
  }
  if (!claim.status?.reservedFor?.some(one => one.uid === uid)) {
    const { name: claimName, uid: claimUid } = claim.metadata
    throw new Error(`pod ${name} (${uid}) is not allowed to use ResourceClaim ${claimName} (${claimUid})`)
  }
  if (!claim.status.allocation) throw new Error(`ResourceClaim ${claim.metadata.name}: not allocated`)
}

/** Those whose devices the claim was given. */
export const driversOf = ({ status }: ResourceClaim): string[] => [
  ...new Set((status.allocation?.devices.results ?? []).map(({ driver }) => driver)),
]
