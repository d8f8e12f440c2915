// Which volumes a Pod's claims would get on a node. Pure. Upstream: volumebinding FindPodVolumes, checkBoundClaims,
// findMatchingVolumes, checkVolumeProvisions; component-helpers storage/volume FindMatchingVolume.
import { matcherOf } from '../../api/labels.ts'
import { matchesNodeSelectorTerm } from '../../api/pod/node-affinity.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { PodClaims } from './pod-claims.ts'
import type { VolumeObjects } from './volume-objects.ts'

export interface VolumePlan {
  /** Volumes that exist, for claims that wait. */
  matches: readonly { claim: PersistentVolumeClaim; volume: PersistentVolume }[]
  /** Claims whose volumes a provisioner is to make for the node. */
  provisions: readonly PersistentVolumeClaim[]
}

export type PlanResult = { plan: VolumePlan; reasons?: undefined } | { plan?: undefined; reasons: string[] }

const NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
const OTHER_NODE = "node(s) didn't match PersistentVolume's node affinity"
const NO_ROOM = 'node(s) did not have enough free storage'
const VOLUME_GONE = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

export function planVolumes({ bound, delayed }: PodClaims, node: Node, volumes: VolumeObjects): PlanResult {
  const reasons = new Set<string>()
  for (const claim of bound) {
    const volume = volumes.volume(claim.spec.volumeName ?? '')
    if (!volume) reasons.add(VOLUME_GONE)
    else if (!isReachable(volume, node)) reasons.add(OTHER_NODE)
  }
  const { matches, missing } = matchVolumes(delayed, node, volumes)
  const problem = firstProblem(missing, node, volumes)
  if (problem) reasons.add(problem)
  return reasons.size > 0 ? { reasons: [...reasons].sort() } : { plan: { matches, provisions: missing } }
}

/** Why the claims' volumes cannot be made for the node. Upstream: checkVolumeProvisions. */
function firstProblem(
  claims: readonly PersistentVolumeClaim[],
  node: Node,
  volumes: VolumeObjects,
): string | undefined {
  for (const claim of claims) {
    if (!mayProvision(claim, node, volumes)) return NO_VOLUME
    if (!hasRoom(claim, node, volumes)) return NO_ROOM
  }
  return undefined
}

/** Drivers that want it say what they have left, and where. Upstream: hasEnoughCapacity. */
function hasRoom({ spec }: PersistentVolumeClaim, node: Node, volumes: VolumeObjects): boolean {
  const className = spec.storageClassName ?? ''
  const wanted = spec.resources.requests?.storage
  const driver = volumes.csiDriver(volumes.storageClass(className)?.provisioner ?? '')
  if (wanted === undefined || !driver?.spec.storageCapacity) return true
  return volumes.capacitiesOfClass(className).some(({ nodeTopology, capacity, maximumVolumeSize }) => {
    const most = maximumVolumeSize ?? capacity
    if (most === undefined || !nodeTopology) return false
    const isEnough = Quantity.parse(most).compare(Quantity.parse(wanted)) >= 0
    return isEnough && matcherOf(nodeTopology)(node.metadata.labels)
  })
}

/** The smallest claims choose first, each the smallest volume that will do; a provisioner's claims wait for it. */
function matchVolumes(claims: readonly PersistentVolumeClaim[], node: Node, volumes: VolumeObjects) {
  const matches: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = []
  const missing: PersistentVolumeClaim[] = []
  const taken = new Set<string>()
  for (const claim of claims.toSorted((a, b) => requestOf(a).compare(requestOf(b)))) {
    const isChosen = claim.metadata.annotations?.[SELECTED_NODE] !== undefined
    const volume = isChosen ? undefined : matchingVolume(claim, node, volumes, taken)
    if (volume) {
      taken.add(volume.metadata.name)
      matches.push({ claim, volume })
    } else missing.push(claim)
  }
  return { matches, missing }
}

function matchingVolume(
  claim: PersistentVolumeClaim,
  node: Node,
  volumes: VolumeObjects,
  taken: ReadonlySet<string>,
): PersistentVolume | undefined {
  let smallest: PersistentVolume | undefined
  for (const volume of volumes.volumesOfClass(claim.spec.storageClassName ?? '')) {
    if (taken.has(volume.metadata.name) || !isBigEnough(volume, claim) || !isReachable(volume, node)) continue
    if (isPromisedTo(volume, claim)) return volume
    if (volume.spec.claimRef || !isOfUse(volume, claim)) continue
    if (!smallest || capacityOf(volume).compare(capacityOf(smallest)) < 0) smallest = volume
  }
  return smallest
}

function isPromisedTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { claimRef } = spec
  return (
    claimRef?.name === metadata.name &&
    claimRef.namespace === metadata.namespace &&
    (!claimRef.uid || claimRef.uid === metadata.uid)
  )
}

function isOfUse({ metadata, spec, status }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (metadata.deletionTimestamp || status.phase !== 'Available') return false
  if ((spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')) return false
  if (claim.spec.selector && !matcherOf(claim.spec.selector)(metadata.labels)) return false
  return (claim.spec.accessModes ?? []).every(mode => spec.accessModes?.includes(mode))
}

const requestOf = ({ spec }: PersistentVolumeClaim) => Quantity.parse(spec.resources.requests?.storage ?? '0')
const capacityOf = ({ spec }: PersistentVolume) => Quantity.parse(spec.capacity?.storage ?? '0')
const isBigEnough = (volume: PersistentVolume, claim: PersistentVolumeClaim) =>
  capacityOf(volume).compare(requestOf(claim)) >= 0

/** Upstream: CheckNodeAffinity. */
export function isReachable({ spec }: PersistentVolume, node: Node): boolean {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms
  return !terms || terms.some(term => matchesNodeSelectorTerm(term, node))
}

/** A claim that a provisioner works on for another node already stays there. */
function mayProvision(
  { metadata, spec }: PersistentVolumeClaim,
  node: Node,
  volumes: VolumeObjects,
): boolean {
  const chosen = metadata.annotations?.[SELECTED_NODE]
  if (chosen !== undefined && chosen !== node.metadata.name) return false
  const storageClass = volumes.storageClass(spec.storageClassName ?? '')
  if (!storageClass?.provisioner || storageClass.provisioner === NO_PROVISIONER) return false
  const terms = storageClass.allowedTopologies ?? []
  const labels = node.metadata.labels ?? {}
  return (
    terms.length === 0 ||
    terms.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(
        ({ key, values }) => labels[key] !== undefined && values.includes(labels[key]),
      ),
    )
  )
}
