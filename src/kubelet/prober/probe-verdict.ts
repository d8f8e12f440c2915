// Thresholds: which outcomes make a verdict. Pure. Upstream: the second half of prober/worker.go doProbe.
import type { Probe } from '../../api/types/core-v1.ts'
import type { ProbeResult } from '../pod-worker/observed-pod.ts'
import type { ProbeKind } from './probe-schedule.ts'

export interface ProbeState {
  /** The verdict in force. */
  result: ProbeResult
  last?: 'success' | 'failure'
  /** How many times in a row `last` was seen. */
  run: number
  /** No more probes of this container: it will be killed, or has started. */
  onHold: boolean
}

/** What holds before the first verdict. */
export const initialResults = {
  startup: 'unknown',
  liveness: 'success',
  readiness: 'failure',
} as const satisfies Record<ProbeKind, ProbeResult>

export const initialState = (kind: ProbeKind, result: ProbeResult = initialResults[kind]): ProbeState => ({
  result,
  run: 0,
  onHold: kind === 'startup' && result === 'success',
})

export function afterOutcome(
  kind: ProbeKind,
  probe: Probe,
  state: ProbeState,
  outcome: 'success' | 'failure',
): ProbeState {
  const run = state.last === outcome ? state.run + 1 : 1
  const needed = outcome === 'success' ? probe.successThreshold || 1 : probe.failureThreshold || 3
  if (run < needed) return { ...state, last: outcome, run }
  const onHold = kind === 'startup' || (kind === 'liveness' && outcome === 'failure')
  return { result: outcome, last: outcome, run: onHold ? 0 : run, onHold }
}
