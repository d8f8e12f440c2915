// What can be read off a Job and its Pods directly. Pure.
import type { Job } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { isTerminating } from '../pod-control/pod-state.ts'

export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'
export const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index'
/** Who looks after a Job that names nobody. */
export const JOB_CONTROLLER_NAME = 'kubernetes.io/job-controller'

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed'

export const isSuspended = ({ spec }: Job): boolean => spec.suspend === true

export const hasLimitPerIndex = (job: Job): boolean =>
  isIndexed(job) && job.spec.backoffLimitPerIndex !== undefined

/** Pods are replaced only when they have failed, not already when they are going. */
export const replacesOnlyFailed = ({ spec }: Job): boolean =>
  spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined

export const isManagedElsewhere = ({ spec }: Job): boolean =>
  spec.managedBy !== undefined && spec.managedBy !== JOB_CONTROLLER_NAME

export function conditionOf({ status }: Job, type: string) {
  return status?.conditions?.find(condition => condition.type === type && condition.status === 'True')
}

export const isFinished = (job: Job): boolean =>
  conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined

export const isTracked = ({ metadata }: Pod): boolean =>
  metadata.finalizers?.includes(TRACKING_FINALIZER) === true

/** Upstream: isPodFailed. */
export function countsAsFailed(pod: Pod, job: Job): boolean {
  if (pod.status.phase === 'Failed') return true
  return !replacesOnlyFailed(job) && isTerminating(pod)
}

/** undefined when the pod has no index, or one that the Job does not have. */
export function indexOf(pod: Pod, { spec }: Job): number | undefined {
  const index = rawIndexOf(pod)
  return index !== undefined && index < (spec.completions ?? 0) ? index : undefined
}

export function rawIndexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[INDEX_ANNOTATION]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** When the pod came to its end, as well as that is known, in epoch milliseconds. Upstream: getFinishedTime. */
export function finishedAt({ metadata, status }: Pod): number {
  const ends = (status.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt)
  if (ends.length > 0 && ends.every(end => end))
    return Math.max(...ends.map(end => Date.parse(end as string)))
  const ready = status.conditions?.find(({ type, status }) => type === 'Ready' && status === 'False')
  if (ready?.lastTransitionTime) return Date.parse(ready.lastTransitionTime)
  if (metadata.deletionTimestamp) {
    return Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1_000
  }
  return Date.parse(metadata.creationTimestamp!)
}
