// What a Job and its Pods amount to now: counts, indexes, and whether it is finished. Pure.
// Upstream: the first half of syncJob.
import type { Job, JobCondition } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { isActive, isReady, isTerminating } from '../pod-control/pod-state.ts'
import { awaitingReplacement, failsIndex } from './index-failures.ts'
import { IndexSet } from './index-set.ts'
import { newCondition } from './job-conditions.ts'
import {
  conditionOf,
  countsAsFailed,
  hasLimitPerIndex,
  indexOf,
  isIndexed,
  isSuspended,
  isTracked,
} from './job-facts.ts'
import { type BackOffRecord, nextRecord } from './pod-back-off.ts'
import { judgeFailure } from './pod-failure-policy.ts'
import { matchSuccessPolicy } from './success-policy.ts'

export interface Assessment {
  job: Job
  pods: readonly Pod[]
  active: Pod[]
  ready: number
  terminating: number
  succeeded: number
  backOff: BackOffRecord
  /** Indexed Jobs: counted already, and with those that are to be counted. */
  indexes?: { counted: IndexSet; succeeded: IndexSet }
  failedIndexes?: IndexSet
  /** Failed pods that wait for their replacement, by index. */
  replaced: ReadonlyMap<number, Pod>
  /** Why the Job is at its end: FailureTarget, SuccessCriteriaMet or, from an earlier FailureTarget, Failed. */
  ending?: JobCondition
  /** When its deadline has to be looked at, in milliseconds from now. */
  deadlineInMs?: number
}

/** `job.status` is complete; `backOff` is what was known before these pods. */
export function assessJob(job: Job, pods: readonly Pod[], backOff: BackOffRecord, now: number): Assessment {
  const active = pods.filter(isActive)
  const finished = newlyFinished(job, pods)
  const assessment: Assessment = {
    job,
    pods,
    active,
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length,
    succeeded: countSucceeded(job) + finished.succeeded.length,
    backOff: nextRecord(backOff, finished.succeeded, finished.failed),
    replaced: new Map(),
  }
  const failed = countFailed(job) + finished.failed.filter(pod => judgeFailure(job, pod).counts).length
  assessment.ending = declaredEnding(job, pods, now) ?? limitReached(job, pods, failed, now)
  if (!assessment.ending) assessment.deadlineInMs = deadlineInMs(job, now)
  if (isIndexed(job)) assessIndexes(assessment, now)
  return assessment
}

function assessIndexes(assessment: Assessment, now: number): void {
  const { job, pods } = assessment
  const { completions = 0, maxFailedIndexes } = job.spec
  const counted = IndexSet.parse(job.status.completedIndexes, completions)
  const succeeded = counted.with(indexesOf(job, pods, ({ status }) => status.phase === 'Succeeded'))
  assessment.indexes = { counted, succeeded }
  assessment.succeeded = succeeded.size
  if (hasLimitPerIndex(job)) {
    const failed = IndexSet.parse(job.status.failedIndexes, completions).with(
      indexesOf(job, pods, pod => failsIndex(pod, job)),
    )
    assessment.failedIndexes = failed
    assessment.replaced = awaitingReplacement(job, pods, succeeded.union(failed))
    assessment.ending ??= indexLimitReached(failed.size, succeeded.size, completions, maxFailedIndexes, now)
  }
  const message = assessment.ending ? undefined : matchSuccessPolicy(job, succeeded)
  if (message !== undefined)
    assessment.ending = newCondition('SuccessCriteriaMet', 'SuccessPolicy', message, now)
}

/** Of pods that are not counted yet. */
function indexesOf(job: Job, pods: readonly Pod[], wanted: (pod: Pod) => boolean): number[] {
  return pods.flatMap(pod => {
    const index = indexOf(pod, job)
    return index !== undefined && isTracked(pod) && wanted(pod) ? [index] : []
  })
}

function newlyFinished(job: Job, pods: readonly Pod[]): { succeeded: Pod[]; failed: Pod[] } {
  const { uncountedTerminatedPods: uncounted } = job.status
  const valid = pods.filter(pod => isTracked(pod) && (!isIndexed(job) || indexOf(pod, job) !== undefined))
  return {
    succeeded: valid.filter(
      ({ metadata, status }) => status.phase === 'Succeeded' && !uncounted?.succeeded?.includes(metadata.uid),
    ),
    failed: valid.filter(pod => countsAsFailed(pod, job) && !uncounted?.failed?.includes(pod.metadata.uid)),
  }
}

const countSucceeded = ({ status }: Job): number =>
  (status.succeeded ?? 0) + (status.uncountedTerminatedPods?.succeeded?.length ?? 0)

const countFailed = ({ status }: Job): number =>
  (status.failed ?? 0) + (status.uncountedTerminatedPods?.failed?.length ?? 0)

/** An end that was declared before, or that a failed pod's policy declares now. */
function declaredEnding(job: Job, pods: readonly Pod[], now: number): JobCondition | undefined {
  const success = conditionOf(job, 'SuccessCriteriaMet')
  if (success) return success
  const target = conditionOf(job, 'FailureTarget')
  if (target) return newCondition('Failed', target.reason ?? '', target.message ?? '', now)
  if (!job.spec.podFailurePolicy) return undefined
  for (const pod of pods) {
    const { failJob } = countsAsFailed(pod, job) ? judgeFailure(job, pod) : {}
    if (failJob !== undefined) return newCondition('FailureTarget', 'PodFailurePolicy', failJob, now)
  }
  return undefined
}

function limitReached(job: Job, pods: readonly Pod[], failed: number, now: number): JobCondition | undefined {
  if (failed > job.spec.backoffLimit! || tooManyRestarts(job, pods)) {
    return newCondition(
      'FailureTarget',
      'BackoffLimitExceeded',
      'Job has reached the specified backoff limit',
      now,
    )
  }
  const left = deadlineInMs(job, now)
  if (left === undefined || left > 0) return undefined
  return newCondition(
    'FailureTarget',
    'DeadlineExceeded',
    'Job was active longer than specified deadline',
    now,
  )
}

function indexLimitReached(
  failed: number,
  succeeded: number,
  completions: number,
  maxFailed: number | undefined,
  now: number,
): JobCondition | undefined {
  if (maxFailed !== undefined && failed > maxFailed) {
    const message = 'Job has exceeded the specified maximal number of failed indexes'
    return newCondition('FailureTarget', 'MaxFailedIndexesExceeded', message, now)
  }
  if (failed === 0 || failed + succeeded < completions) return undefined
  return newCondition('FailureTarget', 'FailedIndexes', 'Job has failed indexes', now)
}

/** With restartPolicy OnFailure the kubelet restarts containers in place. Upstream: pastBackoffLimitOnFailure. */
function tooManyRestarts({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false
  const restarts = pods
    .filter(({ status: { phase } }) => phase === 'Running' || phase === 'Pending')
    .flatMap(({ status }) => [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0)
  return spec.backoffLimit === 0 ? restarts > 0 : restarts >= spec.backoffLimit!
}

function deadlineInMs(job: Job, now: number): number | undefined {
  const { activeDeadlineSeconds } = job.spec
  const { startTime } = job.status
  if (activeDeadlineSeconds === undefined || startTime === undefined || isSuspended(job)) return undefined
  return Date.parse(startTime) + activeDeadlineSeconds * 1_000 - now
}
