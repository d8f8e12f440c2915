import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PairCounts } from './pair-counts.ts'

test('pairs are counted, and gone when they come to nothing', () => {
  const counts = new PairCounts()
  counts.add('zone', 'a', 2)
  counts.add('zone', 'b', 1)
  counts.add('host', 'x', 0)
  assert.deepEqual([counts.get('zone', 'a'), counts.get('zone', 'c'), counts.get('host', 'x')], [2, 0, 0])
  assert.deepEqual([...counts.keys], ['zone'])
  counts.add('zone', 'a', -2)
  counts.add('zone', 'b', -1)
  assert.equal(counts.isEmpty, true)
})

test('a copy goes its own way', () => {
  const counts = new PairCounts()
  counts.add('zone', 'a', 1)
  const copy = counts.copy()
  copy.add('zone', 'a', 1)
  assert.deepEqual([counts.get('zone', 'a'), copy.get('zone', 'a')], [1, 2])
})
