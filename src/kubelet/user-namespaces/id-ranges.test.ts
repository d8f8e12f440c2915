import assert from 'node:assert/strict'
import test from 'node:test'
import { IdRanges } from './id-ranges.ts'

const K = 65_536
const ranges = (pods = 4, start = 0) =>
  new IdRanges({ span: { first: K, length: pods * K }, idsPerPod: K, start })

test('each pod has a range of its own, and keeps it', () => {
  const all = ranges()
  assert.deepEqual(all.allocate('a'), { first: K, length: K })
  assert.deepEqual(all.allocate('b'), { first: 2 * K, length: K })
  assert.deepEqual(all.allocate('a'), { first: K, length: K })
})

test('the search begins where it is told to, and goes round', () => {
  const all = ranges(4, 0.99)
  assert.deepEqual(
    ['a', 'b', 'c'].map(uid => all.allocate(uid).first / K),
    [4, 1, 2],
  )
})

test('when all are given away the next pod is refused, until one is released', () => {
  const all = ranges(2)
  all.allocate('a')
  all.allocate('b')
  assert.throws(() => all.allocate('c'), /could not find an empty slot to allocate a user namespace/)
  all.release('a')
  all.release('a')
  assert.equal(all.allocate('c').first, K)
})

test('a range just released is not the next to be given', () => {
  const all = ranges()
  all.allocate('a')
  all.release('a')
  assert.equal(all.allocate('b').first, 2 * K)
})

test('what an earlier run gave is taken back and not given again', () => {
  const all = ranges()
  all.take('old', { first: K, length: K })
  all.take('old', { first: K, length: K })
  assert.equal(all.allocate('old').first, K)
  assert.equal(all.allocate('new').first, 2 * K)
})

const wrong: [what: string, uid: string, first: number, length: number, message: RegExp][] = [
  ['another length', 'x', 2 * K, 2 * K, /wrong user namespace length 131072/],
  ['a beginning between two ranges', 'x', K + 1, K, /wrong user namespace offset specified 65537/],
  ['the machine’s own ids', 'x', 0, K, /id 0 is out of range/],
  ['ids beyond the last', 'x', 5 * K, K, /id 327680 is out of range/],
  ['a range of another pod', 'x', K, K, /range picked for pod "x" already taken/],
  ['another range than it has', 'a', 2 * K, K, /different user namespace range already used by pod "a"/],
]
for (const [what, uid, first, length, message] of wrong)
  test(`${what}: not taken back`, () => {
    const all = ranges()
    all.allocate('a')
    assert.throws(() => all.take(uid, { first, length }), message)
  })
