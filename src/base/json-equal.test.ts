import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonEqual } from './json-equal.ts'

const cases: [what: string, left: unknown, right: unknown, same: boolean][] = [
  ['the order of keys is nothing', { a: 1, b: 2 }, { b: 2, a: 1 }, true],
  ['a field that is undefined is no field', { a: 1, b: undefined }, { a: 1 }, true],
  ['null is a value', { a: null }, {}, false],
  ['a list differs from an object', [], {}, false],
  ['an empty list differs from none', { a: [] }, {}, false],
  ['the order of items matters', [1, 2], [2, 1], false],
  ['deep down', { a: [{ b: 'x' }] }, { a: [{ b: 'y' }] }, false],
  ['a key of the other alone', { a: 1 }, { a: 1, b: 2 }, false],
]

for (const [what, left, right, same] of cases) {
  test(`equality of JSON: ${what}`, () => {
    assert.equal(jsonEqual(left, right), same)
    assert.equal(jsonEqual(right, left), same)
  })
}
