// Failures of single indexes of a Job with backoffLimitPerIndex: counted in annotations that each replacement
// inherits. Pure. Upstream: indexed_job_utils.go.
import type { Job } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { isActive } from '../pod-control/pod-state.ts'
import type { IndexSet } from './index-set.ts'
import { countsAsFailed, finishedAt, indexOf, isTracked } from './job-facts.ts'
import { remainingMs } from './pod-back-off.ts'
import { judgeFailure } from './pod-failure-policy.ts'

const COUNT_ANNOTATION = 'batch.kubernetes.io/job-index-failure-count'
const IGNORED_ANNOTATION = 'batch.kubernetes.io/job-index-ignored-failure-count'

function count({ metadata }: Pod, annotation: string): number {
  const text = metadata.annotations?.[annotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
}

const absoluteCount = (pod: Pod): number => count(pod, COUNT_ANNOTATION) + count(pod, IGNORED_ANNOTATION)

/** The pod's failure was one too many for its index. Upstream: isIndexFailed. */
export function failsIndex(pod: Pod, job: Job): boolean {
  if (!countsAsFailed(pod, job)) return false
  const { counts, action } = judgeFailure(job, pod)
  if (action === 'FailIndex') return true
  return counts && count(pod, COUNT_ANNOTATION) >= (job.spec.backoffLimitPerIndex ?? 0)
}

/** The annotations of the pod that takes the place of `replaced`. Upstream: getNewIndexFailureCounts. */
export function failureAnnotations(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (!replaced) return { [COUNT_ANNOTATION]: '0' }
  const { counts } = judgeFailure(job, replaced)
  const failures = count(replaced, COUNT_ANNOTATION) + (counts ? 1 : 0)
  const ignored = count(replaced, IGNORED_ANNOTATION) + (counts ? 0 : 1)
  return {
    [COUNT_ANNOTATION]: String(failures),
    ...(ignored > 0 && { [IGNORED_ANNOTATION]: String(ignored) }),
  }
}

/**
 * Of each index that is to be tried again, the failed pod whose count the replacement takes over: it must not go
 * before. Upstream: getPodsWithDelayedDeletionPerIndex.
 */
export function awaitingReplacement(job: Job, pods: readonly Pod[], settled: IndexSet): Map<number, Pod> {
  const waiting = new Map<number, Pod>()
  if (job.metadata.deletionTimestamp) return waiting
  const activeIndexes = new Set(pods.filter(isActive).map(pod => indexOf(pod, job)))
  const uncounted = new Set(job.status.uncountedTerminatedPods?.failed)
  for (const pod of pods) {
    const index = indexOf(pod, job)
    if (index === undefined || !isTracked(pod) || uncounted.has(pod.metadata.uid)) continue
    if (!countsAsFailed(pod, job) || activeIndexes.has(index) || settled.has(index)) continue
    const other = waiting.get(index)
    if (!other || isLater(pod, other)) waiting.set(index, pod)
  }
  return waiting
}

function isLater(pod: Pod, other: Pod): boolean {
  return absoluteCount(other) <= absoluteCount(pod) && finishedAt(pod) >= finishedAt(other)
}

/** How long the index must wait before its pod is replaced. */
export function indexWaitMs(replaced: Pod | undefined, now: number): number {
  if (!replaced) return 0
  const failuresAfterLastSuccess = absoluteCount(replaced) + 1
  return remainingMs({ failuresAfterLastSuccess, lastFailureAt: finishedAt(replaced) }, now)
}
