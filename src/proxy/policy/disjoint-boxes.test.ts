import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Box, disjointBoxes, mergeRanges, type Range, subtractRanges } from './disjoint-boxes.ts'

test('ranges that touch or overlap become one', () => {
  assert.deepEqual(
    mergeRanges([
      [5, 9],
      [1, 2],
      [3, 4],
      [8, 12],
      [20, 20],
    ]),
    [
      [1, 12],
      [20, 20],
    ],
  )
})

test('holes are cut out, at the ends and in the middle', () => {
  assert.deepEqual(
    subtractRanges(
      [0, 20],
      [
        [0, 3],
        [8, 9],
        [9, 10],
        [18, 40],
        [50, 60],
      ],
    ),
    [
      [4, 7],
      [11, 17],
    ],
  )
  assert.deepEqual(subtractRanges([5, 9], [[0, 20]]), [])
  assert.deepEqual(subtractRanges([5, 9], []), [[5, 9]])
})

test('boxes cover what they covered, and none overlaps another', () => {
  let state = 11
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const range = (): Range => {
    const first = random(12)
    return [first, first + random(5)]
  }
  const covers = (boxes: readonly Box[], address: number, port: number) =>
    boxes.filter(
      ({ addresses, ports }) =>
        addresses[0] <= address && address <= addresses[1] && ports[0] <= port && port <= ports[1],
    ).length
  for (let round = 0; round < 200; round++) {
    const boxes = Array.from({ length: random(6) }, () => ({ addresses: range(), ports: range() }))
    const cut = disjointBoxes(boxes)
    for (let address = 0; address < 18; address++)
      for (let port = 0; port < 18; port++)
        assert.equal(covers(cut, address, port), covers(boxes, address, port) > 0 ? 1 : 0)
  }
})
