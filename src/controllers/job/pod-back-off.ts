// How long a Job waits before it replaces failed Pods. Pure. Upstream: pkg/controller/job/backoff_utils.go.
import type { Pod } from '../../api/types/core-v1.ts'
import { finishedAt } from './job-facts.ts'

/** Upstream: DefaultJobPodFailureBackOff, MaxJobPodFailureBackOff. */
const FIRST_MS = 10_000
const LONGEST_MS = 600_000

export interface BackOffRecord {
  failuresAfterLastSuccess: number
  /** Epoch milliseconds. */
  lastFailureAt?: number
}

/** The record after these pods have ended: only failures after the newest success count. */
export function nextRecord(
  { failuresAfterLastSuccess, lastFailureAt }: BackOffRecord,
  succeeded: readonly Pod[],
  failed: readonly Pod[],
): BackOffRecord {
  const failures = failed.map(finishedAt)
  if (succeeded.length > 0) {
    const lastSuccess = Math.max(...succeeded.map(finishedAt))
    const later = failures.filter(at => at > lastSuccess)
    return {
      failuresAfterLastSuccess: later.length,
      ...(later.length > 0 && { lastFailureAt: Math.max(...later) }),
    }
  }
  const last = Math.max(...failures, lastFailureAt ?? Number.NEGATIVE_INFINITY)
  return {
    failuresAfterLastSuccess: failuresAfterLastSuccess + failures.length,
    ...(Number.isFinite(last) && { lastFailureAt: last }),
  }
}

/** Milliseconds to wait from `now`; 0: none. */
export function remainingMs({ failuresAfterLastSuccess, lastFailureAt }: BackOffRecord, now: number): number {
  if (failuresAfterLastSuccess === 0 || lastFailureAt === undefined) return 0
  const delay = Math.min(FIRST_MS * 2 ** (failuresAfterLastSuccess - 1), LONGEST_MS)
  return Math.max(0, lastFailureAt + delay - now)
}
