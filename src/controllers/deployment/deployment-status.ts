// A Deployment's status from its ReplicaSets: counts, whether enough Pods are available, and how a rollout goes on.
// Upstream: calculateStatus and syncRolloutStatus in pkg/controller/deployment/{sync,progress}.go. No I/O, no clock.
import { parseTime } from '../../api/time.ts'
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '../../api/types/apps-v1.ts'
import { omitZero } from '../pod-control/omit-zero.ts'
import {
  deploymentCondition,
  findCondition,
  progressing,
  removeCondition,
  setCondition,
} from './deployment-conditions.ts'
import { totalSize } from './replica-set-roles.ts'
import { desiredReplicas, rollingLimits } from './rolling-limits.ts'
import type { Sets } from './scaling.ts'

const NO_DEADLINE = 2_147_483_647

/** Undefined: progress is not judged. Upstream: HasProgressDeadline. */
export function deadlineMs({ spec }: Deployment): number | undefined {
  const seconds = spec.progressDeadlineSeconds
  return seconds === undefined || seconds === NO_DEADLINE ? undefined : seconds * 1_000
}

/** Counts and Available; other conditions stay. `now` in epoch milliseconds. Upstream: calculateStatus. */
export function standingStatus(deployment: Deployment, { newest, old }: Sets, now: number): DeploymentStatus {
  const sets = newest ? [...old, newest] : [...old]
  const sum = (read: (set: ReplicaSet) => number | undefined) =>
    sets.reduce((total, set) => total + (read(set) ?? 0), 0)
  const available = sum(({ status }) => status.availableReplicas)
  const terminating = sets.some(({ status }) => status.terminatingReplicas === undefined)
    ? undefined
    : sum(({ status }) => status.terminatingReplicas)
  const { metadata, status } = deployment
  return {
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    ...omitZero(
      'replicas',
      sum(set => set.status.replicas),
    ),
    ...omitZero('updatedReplicas', newest?.status.replicas ?? 0),
    ...omitZero(
      'readyReplicas',
      sum(set => set.status.readyReplicas),
    ),
    ...omitZero('availableReplicas', available),
    // While it shrinks more may be available than are asked for.
    ...omitZero('unavailableReplicas', Math.max(totalSize(sets) - available, 0)),
    ...(terminating !== undefined && { terminatingReplicas: terminating }),
    conditions: setCondition(status.conditions ?? [], availability(deployment, available, now)),
    ...(status.collisionCount !== undefined && { collisionCount: status.collisionCount }),
  }
}

function availability(deployment: Deployment, available: number, now: number): DeploymentCondition {
  const isEnough = available >= desiredReplicas(deployment) - rollingLimits(deployment).maxUnavailable
  return isEnough
    ? deploymentCondition('Available', 'True', {
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
        now,
      })
    : deploymentCondition('Available', 'False', {
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
        now,
      })
}

/** During a rollout: also Progressing and ReplicaFailure. Upstream: syncRolloutStatus. */
export function rolloutStatus(deployment: Deployment, sets: Sets, now: number): DeploymentStatus {
  const status = standingStatus(deployment, sets, now)
  let conditions = status.conditions!
  const current = findCondition(deployment.status.conditions, 'Progressing')
  const isOver =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable'
  if (deadlineMs(deployment) === undefined) conditions = removeCondition(conditions, 'Progressing')
  else if (!isOver) conditions = judgeProgress(deployment, status, sets, now)
  const [failure] = replicaFailures(sets)
  conditions = failure ? setCondition(conditions, failure) : removeCondition(conditions, 'ReplicaFailure')
  return { ...status, conditions }
}

function judgeProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  { newest }: Sets,
  now: number,
): DeploymentCondition[] {
  const conditions = status.conditions!
  const name = newest ? `ReplicaSet "${newest.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  if (isComplete(deployment, status)) {
    const message = `${name} has successfully progressed.`
    return setCondition(conditions, progressing('True', 'NewReplicaSetAvailable', message, now))
  }
  if (hasProgressed(deployment.status, status)) {
    const condition = progressing('True', 'ReplicaSetUpdated', `${name} is progressing.`, now)
    const current = findCondition(deployment.status.conditions, 'Progressing')
    // Every progress counts, so that its time is noted even when nothing else about the condition is new.
    if (current?.status === 'True') condition.lastTransitionTime = current.lastTransitionTime!
    return setCondition(removeCondition(conditions, 'Progressing'), condition)
  }
  if (!hasTimedOut(deployment, status, now)) return conditions
  const message = `${name} has timed out progressing.`
  return setCondition(conditions, progressing('False', 'ProgressDeadlineExceeded', message, now))
}

/** Upstream: DeploymentComplete. */
export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  const replicas = spec.replicas ?? 1
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  )
}

function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) => replicas - updatedReplicas
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

/** Upstream: DeploymentTimedOut. */
function hasTimedOut(deployment: Deployment, status: DeploymentStatus, now: number): boolean {
  const condition = findCondition(status.conditions, 'Progressing')
  if (!condition || condition.reason === 'NewReplicaSetAvailable') return false
  if (condition.reason === 'ProgressDeadlineExceeded') return true
  return deadlineOf(deployment, condition) < now
}

const deadlineOf = (deployment: Deployment, { lastUpdateTime }: DeploymentCondition): number =>
  (parseTime(lastUpdateTime ?? '') ?? 0) + (deadlineMs(deployment) ?? Number.POSITIVE_INFINITY)

/** The new set's before those of others. Upstream: getReplicaFailures. */
function replicaFailures({ newest, old }: Sets): DeploymentCondition[] {
  return [...(newest ? [newest] : []), ...old]
    .flatMap(({ status }) => status.conditions ?? [])
    .filter(({ type }) => type === 'ReplicaFailure')
    .map(({ lastTransitionTime, ...rest }) => ({
      ...rest,
      ...(lastTransitionTime && { lastUpdateTime: lastTransitionTime, lastTransitionTime }),
    }))
}

/**
 * Milliseconds until a rollout that does not get on is too late; undefined when nothing is to be waited for.
 * Upstream: requeueStuckDeployment.
 */
export function progressCheckMs(
  deployment: Deployment,
  status: DeploymentStatus,
  now: number,
): number | undefined {
  const condition = findCondition(status.conditions, 'Progressing')
  if (!condition || deadlineMs(deployment) === undefined || isComplete(deployment, status)) return undefined
  if (condition.reason === 'ProgressDeadlineExceeded' || condition.reason === 'NewReplicaSetAvailable')
    return undefined
  // One more: at the deadline itself it is not yet over.
  return Math.max(deadlineOf(deployment, condition) - now, 0) + 1
}

/** The condition that pausing or resuming leaves, if it must change. Upstream: checkPausedConditions. */
export function pausedCondition({ spec, status }: Deployment, now: number): DeploymentCondition | undefined {
  if (spec.progressDeadlineSeconds === undefined || spec.progressDeadlineSeconds === NO_DEADLINE)
    return undefined
  const reason = findCondition(status.conditions, 'Progressing')?.reason
  if (reason === 'ProgressDeadlineExceeded') return undefined
  const isTold = reason === 'DeploymentPaused'
  if (spec.paused && !isTold) return progressing('Unknown', 'DeploymentPaused', 'Deployment is paused', now)
  if (!spec.paused && isTold) return progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed', now)
  return undefined
}
