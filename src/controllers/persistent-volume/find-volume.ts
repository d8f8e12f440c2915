// Which volume fits a claim best. Pure. Upstream: FindMatchingVolume in component-helpers storage/volume.
import { matcherOf } from '../../api/labels.ts'
import { matchesNodeSelectorTerm } from '../../api/pod/node-affinity.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import { capacityOf, classOfClaim, classOfVolume, isBoundTo, requestedStorage } from './volume-facts.ts'

/**
 * One that was made for the claim before any other, then the smallest that is large enough. With a node only volumes
 * that the node reaches count.
 */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node?: Node,
): PersistentVolume | undefined {
  const wanted = requestedStorage(claim)
  const selects = claim.spec.selector && matcherOf(claim.spec.selector)
  const fitting = volumes.filter(
    volume =>
      !volume.metadata.deletionTimestamp &&
      volumeMode(volume) === volumeMode(claim) &&
      capacityOf(volume).compare(wanted) >= 0 &&
      (!node || isReachable(volume, node)),
  )
  const reserved = fitting.find(volume => isBoundTo(volume, claim))
  if (reserved) return reserved
  return fitting
    .filter(
      volume =>
        !volume.spec.claimRef &&
        volume.status.phase === 'Available' &&
        classOfVolume(volume) === (classOfClaim(claim) ?? '') &&
        allowsAccess(volume, claim) &&
        (!selects || selects(volume.metadata.labels)),
    )
    .sort((a, b) => capacityOf(a).compare(capacityOf(b)) || (a.metadata.name < b.metadata.name ? -1 : 1))[0]
}

/** Why a volume that the claim names does not serve it; undefined when it does. Upstream: checkVolumeSatisfyClaim. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata.deletionTimestamp) return `the volume is marked for deletion "${volume.metadata.name}"`
  if (capacityOf(volume).compare(requestedStorage(claim)) < 0) return 'requested PV is too small'
  if (classOfVolume(volume) !== (classOfClaim(claim) ?? '')) return 'storageClassName does not match'
  if (volumeMode(volume) !== volumeMode(claim)) return 'incompatible volumeMode'
  if (!allowsAccess(volume, claim)) return 'incompatible accessMode'
  return undefined
}

export const volumeMode = ({ spec }: PersistentVolume | PersistentVolumeClaim): string =>
  spec.volumeMode ?? 'Filesystem'

const allowsAccess = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec.accessModes ?? []).every(mode => (volume.spec.accessModes ?? []).includes(mode))

export function isReachable({ spec }: PersistentVolume, node: Node): boolean {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms
  return !terms || terms.some(term => matchesNodeSelectorTerm(term, node))
}
