// Which ResourceClaims a Pod needs that are not there yet. Pure. Upstream: pkg/controller/resourceclaim handleClaim,
// dynamic-resource-allocation/resourceclaim Name.
import type { Draft } from '../../api/kube-object.ts'
import type { Pod, PodResourceClaim } from '../../api/types/core-v1.ts'
import type { ResourceClaim, ResourceClaimTemplate } from '../../api/types/resource-v1.ts'
import { controllerReference } from '../pod-control/claim.ts'
import { isTerminal } from '../pod-control/pod-state.ts'

/** Which of a Pod's claims a generated one is for. */
export const POD_CLAIM = 'resource.kubernetes.io/pod-claim-name'
/** A name has 63 characters; a hyphen and five random ones come last. */
const LONGEST_BASE = 57

/** Nothing of it runs, and nothing will: it needs no claims any more. Upstream: isPodDone. */
export const isDone = (pod: Pod): boolean =>
  isTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName)

export const isOwnedBy = ({ metadata }: ResourceClaim, pod: Pod): boolean =>
  metadata.ownerReferences?.some(({ controller, uid }) => controller && uid === pod.metadata.uid) ?? false

/** Throws Error when a claim of the name that the status tells is somebody else's. */
export function missingClaims(
  pod: Pod,
  find: (name: string) => ResourceClaim | undefined,
): PodResourceClaim[] {
  return (pod.spec.resourceClaims ?? []).filter(({ name, resourceClaimTemplateName }) => {
    if (!resourceClaimTemplateName) return false
    const known = pod.status.resourceClaimStatuses?.find(status => status.name === name)
    // A status without a name: none is needed.
    if (!known?.resourceClaimName) return known === undefined
    const claim = find(known.resourceClaimName)
    if (claim && !isOwnedBy(claim, pod)) throw notOwner(claim, pod)
    return claim === undefined
  })
}

const notOwner = (claim: ResourceClaim, { metadata }: Pod): Error =>
  new Error(
    `ResourceClaim ${claim.metadata.namespace}/${claim.metadata.name} was not created for pod ${metadata.namespace}/${metadata.name} (pod is not owner)`,
  )

/** A claim that was made for the Pod and not told in its status, as when the controller was killed in between. */
export const orphanFor = (
  pod: Pod,
  { name }: PodResourceClaim,
  claims: readonly ResourceClaim[],
): ResourceClaim | undefined =>
  claims.find(
    claim =>
      claim.metadata.annotations?.[POD_CLAIM] === name &&
      !claim.metadata.deletionTimestamp &&
      isOwnedBy(claim, pod),
  )

export function claimFromTemplate(
  pod: Pod,
  { name }: PodResourceClaim,
  { spec: { metadata = {}, spec } }: ResourceClaimTemplate,
): Draft<ResourceClaim> {
  return {
    metadata: {
      name: '',
      generateName: generatedBase(pod.metadata.name, name),
      namespace: pod.metadata.namespace!,
      ...(metadata.labels && { labels: { ...metadata.labels } }),
      annotations: { ...metadata.annotations, [POD_CLAIM]: name },
      ownerReferences: [controllerReference({ apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata })],
    },
    spec: structuredClone(spec),
  }
}

/** Both names are cut in proportion, so that the end of neither is lost altogether. */
function generatedBase(pod: string, claim: string): string {
  const whole = `${pod}-${claim}-`
  if (whole.length <= LONGEST_BASE) return whole
  const cut = (text: string) => text.slice(0, Math.floor((text.length * LONGEST_BASE) / whole.length))
  return `${cut(pod)}-${cut(claim)}`
}

/** Upstream: ResourceClaimReservedForMaxSize. */
const MOST_CONSUMERS = 256

/**
 * Claims with devices that a Pod with a node uses and has not reserved: somebody other than the scheduler has bound it.
 * Upstream: syncPod, reserveForPod.
 */
export function claimsToReserve(
  pod: Pod,
  find: (name: string) => ResourceClaim | undefined,
): ResourceClaim[] {
  if (!pod.spec.nodeName) return []
  return (pod.spec.resourceClaims ?? []).flatMap(({ name, resourceClaimName }) => {
    const told = pod.status.resourceClaimStatuses?.find(status => status.name === name)
    const claim = find(resourceClaimName ?? told?.resourceClaimName ?? '')
    if (!claim?.status.allocation || (!resourceClaimName && !isOwnedBy(claim, pod))) return []
    const { reservedFor = [] } = claim.status
    const isReserved = reservedFor.some(({ uid }) => uid === pod.metadata.uid)
    return isReserved || reservedFor.length >= MOST_CONSUMERS ? [] : [claim]
  })
}

/** The claims' names by the names that the Pod gives them, with those that are new. */
export function statusesWith(pod: Pod, added: ReadonlyMap<string, string>) {
  const known = (pod.status.resourceClaimStatuses ?? []).filter(({ name }) => !added.has(name))
  return [...known, ...[...added].map(([name, resourceClaimName]) => ({ name, resourceClaimName }))].sort(
    (a, b) => (a.name < b.name ? -1 : 1),
  )
}
