import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RetryAfter } from './retry-after.ts'

test('the time told doubles under a flood up to 32 s, and falls by one when it ends', () => {
  const retry = new RetryAfter()
  const told: number[] = []
  for (let second = 1000; second < 1100; second++) {
    for (let one = 0; one < 200; one++) retry.refuse(second * 1000 + one)
    told.push(retry.refuse(second * 1000 + 999))
  }
  assert.deepEqual(told.slice(0, 5), [1, 2, 2, 4, 4])
  assert.equal(Math.max(...told), 32)
  assert.equal(told.at(-1), 32)
  const later = [1200, 1300, 1400].map(second => retry.refuse(second * 1000))
  assert.deepEqual(later, [31, 30, 29])
})

test('a few refusals change nothing', () => {
  const retry = new RetryAfter()
  const told = Array.from({ length: 20 }, (_, second) => retry.refuse((50 + second) * 1000))
  assert.deepEqual(new Set(told), new Set([1]))
})
