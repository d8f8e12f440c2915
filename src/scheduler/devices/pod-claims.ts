// The ResourceClaims that a Pod names, and why it has to wait for one. Upstream: dynamicresources
// foreachPodResourceClaim, dynamic-resource-allocation/resourceclaim.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ResourceClaim } from '../../api/types/resource-v1.ts'
import type { DeviceObjects } from './device-objects.ts'

export type PodClaims =
  | { claims: readonly ResourceClaim[]; problem?: undefined }
  | { claims?: undefined; problem: string }

export function claimsOfPod(pod: Pod, devices: DeviceObjects): PodClaims {
  const claims: ResourceClaim[] = []
  for (const { claimName, isGenerated } of claimNamesOf(pod)) {
    if (claimName === undefined) return { problem: notCreated(pod) }
    // None is needed.
    if (claimName === '') continue
    const { namespace = '' } = pod.metadata
    const claim = devices.claim(namespace, claimName)
    if (!claim) return { problem: `could not find ResourceClaim "${namespace}/${claimName}"` }
    if (claim.metadata.deletionTimestamp) return { problem: `resourceclaim "${claimName}" is being deleted` }
    if (isGenerated && !isOwnedBy(claim, pod)) return { problem: notOwned(claim, pod) }
    claims.push(claim)
  }
  return { claims }
}

interface ClaimName {
  /** undefined: it is to be made yet; '': the Pod gets along without. */
  claimName: string | undefined
  isGenerated: boolean
}

const claimNamesOf = ({ spec, status }: Pod): ClaimName[] =>
  (spec.resourceClaims ?? []).map(({ name, resourceClaimName }) => {
    if (resourceClaimName) return { claimName: resourceClaimName, isGenerated: false }
    const told = status.resourceClaimStatuses?.find(one => one.name === name)
    return { claimName: told && (told.resourceClaimName ?? ''), isGenerated: true }
  })

const isOwnedBy = ({ metadata }: ResourceClaim, pod: Pod): boolean =>
  (metadata.ownerReferences ?? []).some(({ controller, uid }) => controller && uid === pod.metadata.uid)

const notCreated = ({ metadata }: Pod) =>
  `pod "${metadata.namespace}/${metadata.name}": ResourceClaim not created yet`

const notOwned = ({ metadata }: ResourceClaim, pod: Pod) =>
  `ResourceClaim ${metadata.namespace}/${metadata.name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`

export const isReservedFor = ({ status }: ResourceClaim, { metadata }: Pod): boolean =>
  status.reservedFor?.some(({ uid }) => uid === metadata.uid) ?? false

/** Upstream: ResourceClaimReservedForMaxSize. */
const MOST_CONSUMERS = 256

export const canBeReserved = ({ status }: ResourceClaim): boolean =>
  (status.reservedFor?.length ?? 0) < MOST_CONSUMERS
