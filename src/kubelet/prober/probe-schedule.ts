// When a probe runs next, as a value. Upstream's ticker starts with the worker, so its first try lands anywhere in
// the first period; here the moments are counted from the container's start. Upstream: prober/worker.go.
import type { Probe } from '../../api/types/core-v1.ts'

export type ProbeKind = 'startup' | 'liveness' | 'readiness'

/**
 * A process that was just started is rarely listening yet. In its first second (upstream notices a new container
 * within that time) a success counts and a failure is tried again without being held against it.
 */
const YOUNG_MS = 1_000
const YOUNG_RETRIES_MS = [50, 100, 200, 400]

export interface ProbeTimes {
  kind: ProbeKind
  probe: Probe
  /** When the container started. Epoch milliseconds, as all that follow. */
  startedAt: number
  /** When this probe's turn came: for liveness and readiness, the end of startup. */
  turnAt: number
  /** Probes that ran without being counted. */
  trials: number
  /** When the last counted one began; undefined when there was none. */
  countedAt?: number
}

export interface NextProbe {
  at: number
  /** A failure counts. */
  counts: boolean
}

export function nextProbe(times: ProbeTimes): NextProbe {
  const { kind, probe, startedAt, turnAt, trials, countedAt } = times
  const periodMs = (probe.periodSeconds || 10) * 1_000
  if (countedAt !== undefined) return { at: countedAt + periodMs, counts: true }
  const from = Math.max(turnAt, startedAt + (probe.initialDelaySeconds ?? 0) * 1_000)
  const grown = Math.max(from, startedAt + YOUNG_MS)
  // A startup probe grants the container its whole threshold times period before it is killed.
  const counted = kind === 'startup' ? Math.max(from + periodMs, grown) : grown
  if (kind === 'liveness') return { at: counted, counts: true }
  const trial = from + YOUNG_RETRIES_MS.slice(0, trials).reduce((sum, ms) => sum + ms, 0)
  const another = trial < grown && trials <= YOUNG_RETRIES_MS.length
  if (another || (kind === 'startup' && trials === 0)) return { at: trial, counts: false }
  return { at: counted, counts: true }
}
