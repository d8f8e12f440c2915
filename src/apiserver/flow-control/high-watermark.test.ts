import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HighWatermark } from './high-watermark.ts'

test('the highest value of this second and of the one before it counts, then what is true now', () => {
  const mark = new HighWatermark()
  for (const by of [3, 4, -6]) mark.change(by, 10_500)
  assert.equal(mark.read(10_900), 7)
  assert.equal(mark.read(11_900), 7)
  assert.equal(mark.read(12_000), 1)
  mark.change(1, 20_000)
  assert.equal(mark.read(20_000), 2)
})
