import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podOf, spec } from '../testing/pods.fixture.ts'
import { type BackOffLimits, backOffKey, heldBackUntil, nextBackOff } from './crash-back-off.ts'
import type { BackOffEntry } from './observed-pod.ts'

const MINUTE = 60_000

/** Seconds that a container which fails at once waits before each restart. */
function waits(restarts: number, limits?: BackOffLimits): number[] {
  let now = 1_000_000
  let entry: BackOffEntry | undefined
  return Array.from({ length: restarts }, () => {
    const until = heldBackUntil(entry, now, now) ?? now
    const waited = (until - now) / 1000
    entry = nextBackOff(entry, now, until, limits)
    now = until
    return waited
  })
}

test('the first restart is free, then the wait doubles from ten seconds to five minutes', () =>
  assert.deepEqual(waits(9), [0, 10, 20, 40, 80, 160, 300, 300, 300]))

test('a lower cap holds', () =>
  assert.deepEqual(waits(5, { initialMs: 10_000, maxMs: 30_000 }), [0, 10, 20, 30, 30]))

test('a cap below ten seconds is the first wait too', () =>
  assert.deepEqual(waits(4, { initialMs: 3_000, maxMs: 3_000 }), [0, 3, 3, 3]))

test('the wait counts from the exit', () => {
  const entry = { durationMs: 10_000, updatedAt: 0 }
  assert.equal(heldBackUntil(entry, 5_000, 6_000), 15_000)
  assert.equal(heldBackUntil(entry, 5_000, 15_000), undefined)
})

test('a container that ran for more than ten minutes begins anew', () => {
  const entry = { durationMs: 300_000, updatedAt: 0 }
  assert.equal(heldBackUntil(entry, 10 * MINUTE, 10 * MINUTE), 10 * MINUTE + 300_000)
  assert.equal(heldBackUntil(entry, 10 * MINUTE + 1, 10 * MINUTE + 1), undefined)
  assert.equal(nextBackOff(entry, 10 * MINUTE + 1, 10 * MINUTE + 1).durationMs, 10_000)
})

test('another image or other resources begin anew, another command does not', () => {
  const key = (more = {}) => backOffKey(podOf(), spec('app', more))
  assert.notEqual(key({ image: 'other' }), key())
  assert.notEqual(key({ resources: { limits: { cpu: '1' } } }), key())
  assert.equal(key({ command: ['x'] }), key())
})
