// How finished Pods get into a Job's status without one being lost or counted twice: first their uids are written
// down as uncounted, then their finalizers go, then the counters take them over. Pure.
// Upstream: trackJobStatusAndRemoveFinalizers and what it calls.
import type { JobCondition, JobStatus } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Assessment } from './assess-job.ts'
import { newCondition, withCondition } from './job-conditions.ts'
import { countsAsFailed, hasLimitPerIndex, indexOf, isIndexed, isTracked, rawIndexOf } from './job-facts.ts'
import { judgeFailure } from './pod-failure-policy.ts'

/** So many uids at most are in a status. Upstream: MaxUncountedPods. */
const MOST_UNCOUNTED = 500

export interface Tracking {
  /** To be written before any finalizer goes. */
  status: JobStatus
  /** Pods whose finalizers go next. */
  release: Pod[]
  /** How the Job ends when all is counted. */
  final?: JobCondition
  /** There are more pods to count: it cannot end in this round. */
  incomplete: boolean
}

/** `status` carries what the round has found out besides; `ending` is absent when the Job goes on. */
export function trackPods(
  assessment: Assessment,
  status: JobStatus,
  ending: JobCondition | undefined,
  now: number,
): Tracking {
  const { job, pods, indexes } = assessment
  const tracked = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid))
  const next = withoutReleased(status, tracked)
  const count = new Counting(assessment, next, ending)
  const ordered = isIndexed(job)
    ? [...pods].sort((one, two) => (rawIndexOf(one) ?? -1) - (rawIndexOf(two) ?? -1))
    : pods
  const incomplete = ordered.filter(isTracked).some(pod => count.add(pod))
  next.uncountedTerminatedPods = count.uncounted
  if (indexes) {
    const completed = indexes.counted.with(count.newIndexes)
    next.succeeded = completed.size
    next.completedIndexes = completed.toString()
    if (assessment.failedIndexes) next.failedIndexes = assessment.failedIndexes.toString()
  }
  const final = ending && finalCondition(ending, now)
  if (ending && ending.type !== final?.type) {
    next.conditions = [...withCondition(next.conditions, ending)]
  }
  return { status: next, release: count.release, incomplete, ...(final && { final }) }
}

class Counting {
  readonly release: Pod[] = []
  readonly newIndexes: number[] = []
  readonly uncounted: { succeeded?: string[]; failed?: string[] }
  readonly #assessment: Assessment
  readonly #ending: JobCondition | undefined

  constructor(
    assessment: Assessment,
    { uncountedTerminatedPods }: JobStatus,
    ending: JobCondition | undefined,
  ) {
    this.#assessment = assessment
    this.#ending = ending
    this.uncounted = { ...uncountedTerminatedPods }
  }

  /** True when the status is full. */
  add(pod: Pod): boolean {
    const { job } = this.#assessment
    const failed = countsAsFailed(pod, job)
    if (!this.#mayRelease(pod, failed)) return false
    this.release.push(pod)
    const { uid } = pod.metadata
    const failsWithJob = this.#ending !== undefined && this.#ending.type !== 'SuccessCriteriaMet'
    if (pod.status.phase === 'Succeeded' && !this.uncounted.failed?.includes(uid)) this.#addSuccess(pod)
    else if (failed || failsWithJob) this.#addFailure(pod)
    const { succeeded = [], failed: uncountedFailed = [] } = this.uncounted
    return this.newIndexes.length + succeeded.length + uncountedFailed.length >= MOST_UNCOUNTED
  }

  /** Upstream: canRemoveFinalizer. */
  #mayRelease(pod: Pod, failed: boolean): boolean {
    const { job, replaced } = this.#assessment
    if (job.metadata.deletionTimestamp || this.#ending || pod.status.phase === 'Succeeded') return true
    if (!failed || !hasLimitPerIndex(job)) return failed
    const index = indexOf(pod, job)
    return index === undefined || replaced.get(index)?.metadata.uid !== pod.metadata.uid
  }

  #addSuccess(pod: Pod): void {
    const { job, indexes } = this.#assessment
    const { uid } = pod.metadata
    if (indexes) {
      const index = indexOf(pod, job)
      if (index !== undefined && !indexes.counted.has(index)) this.newIndexes.push(index)
    } else if (!this.uncounted.succeeded?.includes(uid)) {
      this.uncounted.succeeded = [...(this.uncounted.succeeded ?? []), uid]
    }
  }

  #addFailure(pod: Pod): void {
    const { job } = this.#assessment
    const { uid } = pod.metadata
    if (this.uncounted.failed?.includes(uid)) return
    if (isIndexed(job) && indexOf(pod, job) === undefined) return
    if (judgeFailure(job, pod).counts) this.uncounted.failed = [...(this.uncounted.failed ?? []), uid]
  }
}

/** The interim conditions have a final one that follows when everything is counted. */
function finalCondition({ type, reason = '', message = '' }: JobCondition, now: number): JobCondition {
  const final = type === 'SuccessCriteriaMet' ? 'Complete' : 'Failed'
  return newCondition(final, reason, message, now)
}

/** Moves uids whose pods have lost their finalizers into the counters. Upstream: cleanUncountedPodsWithoutFinalizers. */
export function withoutReleased(status: JobStatus, tracked: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const stillSucceeded = succeeded.filter(uid => tracked.has(uid))
  const stillFailed = failed.filter(uid => tracked.has(uid))
  const newlySucceeded = succeeded.length - stillSucceeded.length
  const newlyFailed = failed.length - stillFailed.length
  return {
    ...status,
    ...(newlySucceeded > 0 && { succeeded: (status.succeeded ?? 0) + newlySucceeded }),
    ...(newlyFailed > 0 && { failed: (status.failed ?? 0) + newlyFailed }),
    uncountedTerminatedPods: {
      ...(stillSucceeded.length > 0 && { succeeded: stillSucceeded }),
      ...(stillFailed.length > 0 && { failed: stillFailed }),
    },
  }
}

/** The status of the finished Job, or undefined while something is left to be counted or to go. */
export function finishedStatus(
  status: JobStatus,
  { final, incomplete }: Tracking,
  terminating: number,
): JobStatus | undefined {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  if (!final || incomplete || succeeded.length + failed.length > 0 || terminating > 0) return undefined
  return {
    ...status,
    conditions: [...withCondition(status.conditions, final)],
    ...(final.type === 'Complete' && { completionTime: final.lastTransitionTime! }),
  }
}
