import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deal, hashFlow } from './shuffle-sharding.ts'

const hands: [flow: bigint, deckSize: number, handSize: number, hand: number[]][] = [
  [0n, 4, 4, [0, 1, 2, 3]],
  // 3, then the second of {0, 1, 2}, then the second of {0, 2}.
  [3n + 4n * (1n + 3n * 1n), 4, 3, [3, 1, 2]],
  [127n, 128, 1, [127]],
  [5n, 1, 1, [0]],
]
for (const [flow, deckSize, handSize, hand] of hands) {
  test(`${flow} deals ${hand} out of ${deckSize}`, () =>
    assert.deepEqual(deal(flow, deckSize, handSize), hand))
}

test('a hand holds no card twice, and every card comes to some flow', () => {
  const seen = new Set<number>()
  for (let flow = 0; flow < 300; flow++) {
    const hand = deal(hashFlow('schema', `user-${flow}`), 64, 6)
    assert.equal(new Set(hand).size, 6)
    for (const card of hand) {
      assert.ok(card >= 0 && card < 64)
      seen.add(card)
    }
  }
  assert.equal(seen.size, 64)
})

test('flows differ by schema and by distinguisher, and are the same each time', () => {
  assert.equal(hashFlow('a', 'b'), hashFlow('a', 'b'))
  assert.equal(new Set([hashFlow('a', 'b'), hashFlow('ab', ''), hashFlow('b', 'a')]).size, 3)
})
