// Which Pods a Job that goes on needs more, or has too many. Pure. Upstream: manageJob.
import type { Pod } from '../../api/types/core-v1.ts'
import { isTerminating } from '../pod-control/pod-state.ts'
import type { Assessment } from './assess-job.ts'
import { indexWaitMs } from './index-failures.ts'
import { IndexSet } from './index-set.ts'
import { hasLimitPerIndex, indexOf, isIndexed, isSuspended, replacesOnlyFailed } from './job-facts.ts'
import { remainingMs } from './pod-back-off.ts'
import { podsForRemoval } from './rank-for-removal.ts'

/** Upstream: MaxPodCreateDeletePerSync. */
const MOST_AT_ONCE = 500

export type PodStep =
  | { do: 'nothing' }
  /** They do not count as failures: their finalizer goes first. */
  | { do: 'remove'; pods: Pod[] }
  /** `indexes` only for Indexed Jobs, one for each pod. */
  | { do: 'create'; count: number; indexes?: number[] }
  /** Failures have to be waited out. */
  | { do: 'wait'; ms: number }

export function decidePods(assessment: Assessment, now: number): PodStep {
  const { job, active, terminating } = assessment
  if (isSuspended(job)) return remove(podsForRemoval(job, active, active.length))
  const wanted = wantedActive(assessment)
  const surplus = podsForRemoval(job, active, Math.max(0, active.length - wanted)).slice(0, MOST_AT_ONCE)
  if (surplus.length > 0) return remove(surplus)
  const missing = wanted - active.length - (replacesOnlyFailed(job) ? terminating : 0)
  if (missing <= 0) return { do: 'nothing' }
  if (!hasLimitPerIndex(job)) {
    const ms = remainingMs(assessment.backOff, now)
    if (ms > 0) return { do: 'wait', ms }
  }
  const count = Math.min(missing, MOST_AT_ONCE)
  if (!isIndexed(job)) return { do: 'create', count }
  return createIndexes(assessment, count, now)
}

const remove = (pods: Pod[]): PodStep => (pods.length > 0 ? { do: 'remove', pods } : { do: 'nothing' })

/** Without completions one success is enough, and what runs then may finish. */
function wantedActive({ job: { spec }, active, succeeded }: Assessment): number {
  const parallelism = spec.parallelism ?? 1
  if (spec.completions === undefined) return succeeded > 0 ? active.length : parallelism
  return Math.max(0, Math.min(spec.completions - succeeded, parallelism))
}

function createIndexes(assessment: Assessment, count: number, now: number): PodStep {
  const pending = pendingIndexes(assessment, count)
  if (!hasLimitPerIndex(assessment.job)) return create(pending)
  const waits = pending.map(index => ({
    index,
    ms: indexWaitMs(assessment.replaced.get(index), now),
  }))
  const due = waits.filter(({ ms }) => ms === 0).map(({ index }) => index)
  if (due.length > 0 || waits.length === 0) return create(due)
  return { do: 'wait', ms: Math.min(...waits.map(({ ms }) => ms)) }
}

const create = (indexes: number[]): PodStep =>
  indexes.length > 0 ? { do: 'create', count: indexes.length, indexes } : { do: 'nothing' }

/** Upstream: firstPendingIndexes. */
function pendingIndexes({ job, pods, active, indexes, failedIndexes }: Assessment, count: number): number[] {
  const taken = replacesOnlyFailed(job) ? [...active, ...pods.filter(isTerminating)] : active
  const settled = (indexes?.succeeded ?? IndexSet.empty)
    .union(failedIndexes ?? IndexSet.empty)
    .with(taken.flatMap(pod => indexOf(pod, job) ?? []))
  return settled.firstMissing(count, job.spec.completions ?? 0)
}
