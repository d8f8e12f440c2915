// Which ReplicaSets of a Deployment get larger or smaller now. Pure: no I/O, no clock.
// Upstream: pkg/controller/deployment/{rolling,recreate,sync}.go.
import type { Deployment, ReplicaSet } from '../../api/types/apps-v1.ts'
import { countAnnotation, DESIRED_REPLICAS, MAX_REPLICAS } from './annotations.ts'
import { roomForNew } from './new-replica-set.ts'
import { hasSize, newerFirst, olderFirst, sizeOf, totalSize } from './replica-set-roles.ts'
import { desiredReplicas, isRolling, rollingLimits } from './rolling-limits.ts'

/** To be carried out in order; `from` is its size when this step's turn comes. */
export interface Scaling {
  replicaSet: ReplicaSet
  from: number
  to: number
}

export interface Sets {
  newest: ReplicaSet | undefined
  old: readonly ReplicaSet[]
}

const allOf = ({ newest, old }: Sets): ReplicaSet[] => (newest ? [...old, newest] : [...old])

const step = (replicaSet: ReplicaSet, to: number, from = sizeOf(replicaSet)): Scaling[] =>
  from === to ? [] : [{ replicaSet, from, to }]

/** The new one first; old ones only when that has nothing to do. Upstream: rolloutRolling. */
export function scaleRolling(deployment: Deployment, sets: Sets & { newest: ReplicaSet }): Scaling[] {
  const { newest } = sets
  const desired = desiredReplicas(deployment)
  const size = sizeOf(newest)
  if (size > desired) return step(newest, desired)
  const grown = step(newest, roomForNew(deployment, totalSize(allOf(sets)), size))
  return grown.length > 0 ? grown : scaleDownOld(deployment, sets)
}

/**
 * Old Pods that are not available go first, they serve nobody; others go while enough stay available.
 * Pods of the new set that are not available yet count against it. Upstream: reconcileOldReplicaSets.
 */
function scaleDownOld(deployment: Deployment, sets: Sets & { newest: ReplicaSet }): Scaling[] {
  const old = sets.old.filter(hasSize).sort(olderFirst)
  const fewest = desiredReplicas(deployment) - rollingLimits(deployment).maxUnavailable
  const newUnavailable = sizeOf(sets.newest) - (sets.newest.status.availableReplicas ?? 0)
  const most = totalSize(allOf(sets)) - fewest - newUnavailable
  if (most <= 0) return []
  const sizes = new Map(old.map(set => [set, sizeOf(set)]))
  const shrink = (room: number, shareOf: (set: ReplicaSet, size: number) => number): Scaling[] => {
    let left = room
    return old.flatMap(set => {
      const size = sizes.get(set)!
      const count = Math.min(Math.max(left, 0), shareOf(set, size))
      if (count <= 0) return []
      left -= count
      sizes.set(set, size - count)
      return step(set, size - count, size)
    })
  }
  const unhealthy = shrink(most, (set, size) => size - (set.status.availableReplicas ?? 0))
  const available = allOf(sets).reduce((sum, { status }) => sum + (status.availableReplicas ?? 0), 0)
  return [...unhealthy, ...shrink(available - fewest, (_, size) => size)]
}

/** All old ones to nothing. Upstream: scaleDownOldReplicaSetsForRecreate. */
export function emptyOld({ old }: Sets): Scaling[] {
  return old.filter(hasSize).flatMap(set => step(set, 0))
}

/** The Deployment's size has changed since its ReplicaSets were told it. Upstream: isScalingEvent. */
export function isScalingEvent(deployment: Deployment, sets: Sets): boolean {
  return allOf(sets)
    .filter(hasSize)
    .map(set => countAnnotation(set, DESIRED_REPLICAS))
    .some(told => told !== undefined && told !== desiredReplicas(deployment))
}

/** A step of proportional scaling: also where the size stays, the annotations change. */
export interface ProportionalScaling extends Scaling {
  operation: 'up' | 'down' | ''
}

/** While nothing rolls on: after a change of size, or paused. Upstream: DeploymentController.scale. */
export function scaleStanding(deployment: Deployment, sets: Sets): Scaling[] | ProportionalScaling[] {
  const desired = desiredReplicas(deployment)
  const only = activeOrLatest(sets)
  if (only) return step(only, desired)
  if (isSaturated(deployment, sets.newest)) return emptyOld(sets)
  return isRolling(deployment) ? scaleProportionally(deployment, allOf(sets).filter(hasSize)) : []
}

/** Undefined when there are several with Pods, or no sets at all. Upstream: FindActiveOrLatest. */
function activeOrLatest(sets: Sets): ReplicaSet | undefined {
  const active = allOf(sets).filter(hasSize)
  if (active.length === 0) return sets.newest ?? [...sets.old].sort(newerFirst)[0]
  return active.length === 1 ? active[0] : undefined
}

/** The new one has all Pods and all are available. Upstream: IsSaturated. */
function isSaturated(deployment: Deployment, newest: ReplicaSet | undefined): boolean {
  if (!newest) return false
  const desired = desiredReplicas(deployment)
  return (
    sizeOf(newest) === desired &&
    countAnnotation(newest, DESIRED_REPLICAS) === desired &&
    (newest.status.availableReplicas ?? 0) === desired
  )
}

/** Each gets its share of what is added or taken; what rounding leaves over goes to the largest. */
function scaleProportionally(deployment: Deployment, active: readonly ReplicaSet[]): ProportionalScaling[] {
  const desired = desiredReplicas(deployment)
  const most = desired > 0 ? desired + rollingLimits(deployment).maxSurge : 0
  const toAdd = most - totalSize(active)
  const operation = toAdd > 0 ? 'up' : toAdd < 0 ? 'down' : ''
  const byAge = operation === 'up' ? newerFirst : olderFirst
  const sorted = [...active].sort((a, b) => (operation && sizeOf(b) - sizeOf(a)) || byAge(a, b))
  let added = 0
  const sizes = sorted.map(set => {
    const share = shareOf(set, deployment, toAdd, added)
    added += share
    return sizeOf(set) + share
  })
  if (toAdd !== 0 && sizes.length > 0) sizes[0] = Math.max(0, sizes[0]! + toAdd - added)
  return sorted.map((replicaSet, index) => ({
    replicaSet,
    from: sizeOf(replicaSet),
    to: sizes[index]!,
    operation,
  }))
}

/** Upstream: GetReplicaSetProportion. */
function shareOf(set: ReplicaSet, deployment: Deployment, toAdd: number, added: number): number {
  if (!hasSize(set) || toAdd === 0 || toAdd === added) return 0
  const fraction = fractionOf(set, deployment)
  return toAdd > 0 ? Math.min(fraction, toAdd - added) : Math.max(fraction, toAdd - added)
}

/** Upstream: getReplicaSetFraction. */
function fractionOf(set: ReplicaSet, deployment: Deployment): number {
  const desired = desiredReplicas(deployment)
  const size = sizeOf(set)
  if (desired === 0) return -size
  const before = countAnnotation(set, MAX_REPLICAS) || deployment.status.replicas || 0
  if (before === 0) return 0
  return Math.round((size * (desired + rollingLimits(deployment).maxSurge)) / before) - size
}
