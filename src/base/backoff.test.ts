import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BackoffState, isInBackoff, isInBackoffSinceUpdate, nextBackoff } from './backoff.ts'

const limits = { initialMs: 10_000, maxMs: 300_000 }

test('the delay doubles with each failure up to the limit', () => {
  const delays: number[] = []
  let state: BackoffState | undefined
  for (let failedAt = 0; delays.length < 7; failedAt += state.delayMs) {
    state = nextBackoff(state, limits, { failedAt })
    delays.push(state.delayMs)
  }
  assert.deepEqual(delays, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
})

const after5 = { delayMs: 160_000, lastUpdateAt: 0 }
const cases: Record<string, { state: BackoffState | undefined; failedAt: number; expected: number }> = {
  'the first failure waits the initial delay': { state: undefined, failedAt: 5, expected: 10_000 },
  'a failure within twice the limit goes on': { state: after5, failedAt: 600_000, expected: 300_000 },
  'a failure later than that starts again': { state: after5, failedAt: 600_001, expected: 10_000 },
}
for (const [title, { state, failedAt, expected }] of Object.entries(cases)) {
  test(title, () => assert.equal(nextBackoff(state, limits, { failedAt }).delayMs, expected))
}

test('jitter adds to a delay but never exceeds the limit', () => {
  const jittery = { ...limits, jitterFactor: 1 }
  assert.equal(nextBackoff(undefined, jittery, { failedAt: 0, random: 0.5 }).delayMs, 15_000)
  assert.equal(nextBackoff(after5, jittery, { failedAt: 0, random: 0.5 }).delayMs, 300_000)
})

test('something is in back-off until its delay is over, counted from the failure or from the update', () => {
  const state = { delayMs: 10_000, lastUpdateAt: 1_000 }
  assert.equal(isInBackoff(state, limits, { failedAt: 0, now: 9_999 }), true)
  assert.equal(isInBackoff(state, limits, { failedAt: 0, now: 10_000 }), false)
  assert.equal(isInBackoff(undefined, limits, { failedAt: 0, now: 0 }), false)
  assert.equal(isInBackoffSinceUpdate(state, limits, 10_999), true)
  assert.equal(isInBackoffSinceUpdate(state, limits, 11_000), false)
})
