import assert from 'node:assert/strict'
import test from 'node:test'
import { PlainError } from '../../base/plain-error.ts'
import { kubeletIds, type SubordinateIds } from './kubelet-ids.ts'

const K = 65_536
const line = (first: number, length: number) => `0: kubelet ${first} ${length}\n`
const both = (text: string): SubordinateIds => ({ hasUser: true, uids: text, gids: text })
const everything = { first: K, length: 2 ** 32 - 2 * K }

const good: [what: string, found: SubordinateIds, expected: object][] = [
  ['without the user kubelet, all but the machine’s own ids', { hasUser: false }, everything],
  ['without getsubids too', { hasUser: true }, everything],
  ['what the user kubelet was given', both(line(2 * K, 110 * K)), { first: 2 * K, length: 110 * K }],
]
for (const [what, found, expected] of good)
  test(`pods get ids of: ${what}`, () => assert.deepEqual(kubeletIds(found, K, 110), expected))

test('with more ids per pod the machine’s own part is as large', () =>
  assert.deepEqual(kubeletIds({ hasUser: false }, 2 * K, 110), { first: 2 * K, length: 2 ** 32 - 4 * K }))

const bad: [what: string, found: SubordinateIds, message: RegExp][] = [
  [
    'different ranges for users and groups',
    { hasUser: true, uids: line(K, 110 * K), gids: line(2 * K, 110 * K) },
    /mismatched subuids and subgids for user "kubelet"/,
  ],
  ['two ranges', both(line(K, K) + line(9 * K, K)), /it must contain only one line/],
  ['nothing at all', both(''), /invalid line ""/],
  ['no number', both('0: kubelet x 65536'), /invalid line/],
  [
    'a beginning that is no multiple',
    both(line(100_000, 110 * K)),
    /assigned ID 100000 is not a multiple of/,
  ],
  ['the machine’s own ids', both(line(0, 110 * K)), /assigned ID 0 must be greater or equal to 65536/],
  ['a length that is no multiple', both(line(K, 110 * K + 1)), /length 7208961 is not a multiple of 65536/],
  ['too few for the node’s pods', both(line(K, 109 * K)), /are not enough to support 110 pods/],
]
for (const [what, found, message] of bad)
  test(`${what}: one sentence says so`, () =>
    assert.throws(
      () => kubeletIds(found, K, 110),
      (error: unknown) => error instanceof PlainError && message.test(error.message),
    ))
