import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PriorityHeap } from './priority-heap.ts'

interface Member {
  key: string
  rank: number
}

test('members come out in order, whatever was put in, replaced and taken out', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
    rank: fc.option(fc.nat(99)),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const heap = new PriorityHeap<Member>(
        ({ key }) => key,
        (a, b) => a.rank < b.rank || (a.rank === b.rank && a.key < b.key),
      )
      const model = new Map<string, Member>()
      for (const { key, rank } of steps) {
        if (rank === null) {
          assert.equal(heap.remove(key), model.delete(key))
          continue
        }
        heap.put({ key, rank })
        model.set(key, { key, rank })
        assert.deepEqual(heap.get(key), { key, rank })
      }
      const expected = [...model.values()].sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : 1))
      assert.deepEqual(heap.first, expected[0])
      const drained: Member[] = []
      for (let next = heap.shift(); next; next = heap.shift()) drained.push(next)
      assert.deepEqual(drained, expected)
      assert.equal(heap.size, 0)
    }),
  )
})
