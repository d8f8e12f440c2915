// Exponential back-off as a value: who waits keeps the state, and asks here what comes next.
// The rules are those of client-go's util/flowcontrol/backoff.go.

export interface BackoffLimits {
  initialMs: number
  maxMs: number
  /** Up to this share of a delay is added to it at random. Default 0. */
  jitterFactor?: number
  /** Quiet for longer than this and it starts from the beginning. Default: twice `maxMs`. */
  resetAfterMs?: number
}

export interface BackoffState {
  delayMs: number
  /** Epoch milliseconds. */
  lastUpdateAt: number
}

/**
 * The state after one more failure. `failedAt` is when it happened, `now` when it is noted;
 * `random` is a number from 0 to below 1 that chooses the jitter.
 */
export function nextBackoff(
  state: BackoffState | undefined,
  limits: BackoffLimits,
  { failedAt, now = failedAt, random = 0 }: { failedAt: number; now?: number; random?: number },
): BackoffState {
  const jittered = (delayMs: number) => delayMs + random * (limits.jitterFactor ?? 0) * delayMs
  if (!state || hasExpired(state, limits, failedAt))
    return { delayMs: jittered(limits.initialMs), lastUpdateAt: now }
  return { delayMs: Math.min(jittered(state.delayMs * 2), limits.maxMs), lastUpdateAt: now }
}

/** Whether what failed at `failedAt` must still wait at `now`. Upstream: IsInBackOffSince. */
export function isInBackoff(
  state: BackoffState | undefined,
  limits: BackoffLimits,
  { failedAt, now }: { failedAt: number; now: number },
): boolean {
  if (!state || hasExpired(state, limits, failedAt)) return false
  return now - failedAt < state.delayMs
}

/** Whether at `now` the last failure is still too close. Upstream: IsInBackOffSinceUpdate. */
export function isInBackoffSinceUpdate(
  state: BackoffState | undefined,
  limits: BackoffLimits,
  now: number,
): boolean {
  if (!state || hasExpired(state, limits, now)) return false
  return now - state.lastUpdateAt < state.delayMs
}

/** Whether things went well for so long that the next failure counts as the first. */
export function hasExpired(state: BackoffState, limits: BackoffLimits, at: number): boolean {
  return at - state.lastUpdateAt > (limits.resetAfterMs ?? limits.maxMs * 2)
}
