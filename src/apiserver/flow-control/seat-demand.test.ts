import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeatDemand } from './seat-demand.ts'

test('mean, deviation and peak are those of the period, weighted by time', () => {
  const demand = new SeatDemand(0)
  demand.set(10, 2_000)
  demand.set(0, 4_000)
  const { average, deviation, highWatermark } = demand.close(10_000)
  assert.deepEqual([average, Math.round(deviation * 100) / 100, highWatermark], [2, 4, 10])
})

test('what was wanted is half forgotten after five minutes', () => {
  const demand = new SeatDemand(0)
  demand.set(100, 0)
  assert.equal(demand.close(10_000).smoothed, 100)
  demand.set(0, 10_000)
  for (let period = 0; period < 30; period++) demand.close(20_000 + period * 10_000)
  assert.ok(Math.abs(demand.figures.smoothed - 50) < 1, `${demand.figures.smoothed}`)
  assert.equal(demand.figures.highWatermark, 0)
})

test('a period without time changes nothing but the peak', () => {
  const demand = new SeatDemand(0)
  demand.set(5, 0)
  assert.deepEqual(demand.close(0), { average: 0, deviation: 0, highWatermark: 5, smoothed: 0 })
})
