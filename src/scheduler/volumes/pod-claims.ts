// The claims that a Pod names, and how they stand. Upstream: volumebinding podHasPVCs, GetPodVolumeClaims.
import type { PersistentVolumeClaim, Pod, Volume } from '../../api/types/core-v1.ts'
import type { ClusterEvent } from '../cluster-event.ts'
import type { VolumeObjects } from './volume-objects.ts'

export interface ClaimName {
  name: string
  /** Made for this Pod from its template. */
  ephemeral: boolean
}

export interface PodClaims {
  bound: readonly PersistentVolumeClaim[]
  /** Bound only when a Pod that uses them has its node. */
  delayed: readonly PersistentVolumeClaim[]
  /** Should be bound by now and are not. */
  immediate: readonly PersistentVolumeClaim[]
}

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'

export function claimNamesOf({ metadata, spec }: Pod): ClaimName[] {
  return (spec.volumes ?? []).flatMap((volume: Volume): ClaimName[] => {
    if (volume.persistentVolumeClaim)
      return [{ name: volume.persistentVolumeClaim.claimName, ephemeral: false }]
    return volume.ephemeral ? [{ name: `${metadata.name}-${volume.name}`, ephemeral: true }] : []
  })
}

/** The event is about a claim that the Pod uses. */
export const isOwnClaim = (event: ClusterEvent, pod: Pod): boolean =>
  event.what === 'claimChanged' &&
  event.namespace === pod.metadata.namespace &&
  claimNamesOf(pod).some(({ name }) => name === event.name)

/** Why the Pod cannot be placed anywhere because of a claim; undefined when its claims are all right. */
export function claimProblem(pod: Pod, volumes: VolumeObjects): string | undefined {
  for (const { name, ephemeral } of claimNamesOf(pod)) {
    const claim = volumes.claim(pod.metadata.namespace ?? '', name)
    if (!claim)
      return ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`
    if (claim.status.phase === 'Lost')
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`
    if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`
    if (ephemeral && !isOwnedBy(claim, pod)) return notOwned(claim, pod)
  }
  return undefined
}

const isOwnedBy = ({ metadata }: PersistentVolumeClaim, pod: Pod) =>
  (metadata.ownerReferences ?? []).some(owner => owner.controller && owner.uid === pod.metadata.uid)

const notOwned = ({ metadata }: PersistentVolumeClaim, pod: Pod) =>
  `PVC ${metadata.namespace}/${metadata.name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`

/** Only for a Pod without a claim problem. */
export function podClaims(pod: Pod, volumes: VolumeObjects): PodClaims {
  const claims = claimNamesOf(pod)
    .map(({ name }) => volumes.claim(pod.metadata.namespace ?? '', name))
    .filter(claim => claim !== undefined)
  const [bound, others] = partition(claims, isBound)
  const [delayed, immediate] = partition(
    others,
    claim => !claim.spec.volumeName && waitsForConsumer(claim, volumes),
  )
  return { bound, delayed, immediate }
}

const isBound = ({ metadata, spec }: PersistentVolumeClaim) =>
  !!spec.volumeName && metadata.annotations?.[BIND_COMPLETED] !== undefined

const waitsForConsumer = ({ spec }: PersistentVolumeClaim, volumes: VolumeObjects) =>
  volumes.storageClass(spec.storageClassName ?? '')?.volumeBindingMode === 'WaitForFirstConsumer'

function partition<T>(list: readonly T[], holds: (member: T) => boolean): [T[], T[]] {
  return [list.filter(holds), list.filter(member => !holds(member))]
}
