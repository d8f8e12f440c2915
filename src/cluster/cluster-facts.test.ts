import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseRanges, range } from './cluster-facts.ts'

test('the usual ranges are taken when nothing else uses them', () => {
  assert.deepEqual(chooseRanges([]), { podCidr: '10.244.0.0/24', serviceCidr: '10.96.0.0/16' })
})

test('a range that another cluster or network uses is passed over', () => {
  const taken = [range('10.244.0.0', 24), range('10.97.3.0', 24), range('10.242.0.0', 15)]
  assert.deepEqual(chooseRanges(taken), { podCidr: '10.241.0.0/24', serviceCidr: '10.99.0.0/16' })
})

test('a machine whose whole 10.0.0.0/8 is in use is told so', () => {
  assert.throws(() => chooseRanges([range('10.0.0.0', 8)]), /no free address range/)
})
