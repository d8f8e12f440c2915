// The claims of a StatefulSet's Pods: what they are, and who owns them, so that they go when they should.
// Upstream: stateful_set_utils.go; KEP-1847.
import type { Draft } from '../../api/kube-object.ts'
import type { StatefulSet } from '../../api/types/apps-v1.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import type { OwnerReference } from '../../api/types/meta-v1.ts'
import { controllerOf, controllerReference, type Owner } from '../pod-control/claim.ts'
import { claimName, isInRange, ordinalOf } from './ordinals.ts'

/** For the Pod of one ordinal, without owners. Upstream: getPersistentVolumeClaims. */
export function claimsOfOrdinal(set: StatefulSet, ordinal: number): Draft<PersistentVolumeClaim>[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    metadata: {
      ...(metadata.annotations && { annotations: { ...metadata.annotations } }),
      name: claimName(metadata.name, set, ordinal),
      namespace: set.metadata.namespace!,
      labels: { ...metadata.labels, ...set.spec.selector?.matchLabels },
    },
    spec: structuredClone(spec),
  }))
}

export const claimNames = (set: StatefulSet, pod: Pod): string[] =>
  (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => claimName(metadata.name, set, ordinalOf(pod)))

type Claim = Pick<PersistentVolumeClaim, 'metadata'>

/** A Pod as an owner needs a uid: one that is not created yet has none, and owns nothing. */
const asOwner = (pod: Pod): Owner => ({ apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata })

/** Whom the retention policy makes the claim's owner: the set, the Pod that is scaled away, or nobody. */
export function wantedOwner(set: StatefulSet, pod: Pod): OwnerReference | undefined {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  const isScaledAway = !isInRange(set, pod)
  if (isScaledAway && whenScaled === 'Delete') return controllerReference(asOwner(pod))
  return whenDeleted === 'Delete' ? controllerReference(set) : undefined
}

/** References that this controller gives: to the set and to its Pods of the claim's ordinal. */
const isOurs = (set: StatefulSet, pod: Pod, { kind, uid, name }: OwnerReference): boolean =>
  uid === set.metadata.uid || (kind === 'Pod' && (uid === pod.metadata.uid || name === pod.metadata.name))

/** Another controller's claim is left alone. Upstream: hasUnexpectedController. */
export function hasForeignController(set: StatefulSet, pod: Pod, claim: Claim): boolean {
  const controller = controllerOf(claim)
  return controller !== undefined && !isOurs(set, pod, controller)
}

/** Upstream: isClaimOwnerUpToDate. */
export function ownersAreRight(set: StatefulSet, pod: Pod, claim: Claim): boolean {
  if (hasForeignController(set, pod, claim)) return true
  const ours = (claim.metadata.ownerReferences ?? []).filter(reference => isOurs(set, pod, reference))
  const wanted = wantedOwner(set, pod)
  if (!wanted) return ours.length === 0
  return ours.length === 1 && ours[0]!.uid === wanted.uid
}

/** What stands there, our references replaced. Upstream: updateClaimOwnerRefForSetAndPod. */
export function rightOwners(set: StatefulSet, pod: Pod, claim: Claim): OwnerReference[] {
  const others = (claim.metadata.ownerReferences ?? []).filter(reference => !isOurs(set, pod, reference))
  const wanted = wantedOwner(set, pod)
  return wanted ? [...others, wanted] : others
}

/** Owned by an earlier Pod of that name, with which it will go: nothing can be made on it. Upstream: isClaimStale. */
export function isStale(claim: Claim, pod: { metadata: { name: string; uid?: string } }): boolean {
  return (claim.metadata.ownerReferences ?? []).some(
    ({ kind, name, uid }) => kind === 'Pod' && name === pod.metadata.name && uid !== pod.metadata.uid,
  )
}
