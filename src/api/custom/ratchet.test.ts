import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import { ratchet } from './ratchet.ts'
import { validateValue } from './validate-value.ts'

const item = { type: 'object', properties: { name: { type: 'string' }, n: { type: 'integer', minimum: 10 } } }
const schema = {
  type: 'object',
  properties: {
    text: { type: 'string', maxLength: 1 },
    list: { type: 'array', maxItems: 1, items: { type: 'string', maxLength: 1 } },
    keyed: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: item,
    },
    inner: {
      type: 'object',
      required: ['must'],
      properties: { must: { type: 'string' }, a: { type: 'string' } },
    },
  },
} as JSONSchemaProps

const old = {
  text: 'abc',
  list: ['ab', 'cd'],
  keyed: [
    { name: 'a', n: 1 },
    { name: 'b', n: 2 },
  ],
  inner: { a: 'x' },
}
const cases: [title: string, change: object, fields: string[]][] = [
  ['nothing that stays as it was counts', { other: 1 }, []],
  ['a value that changes must be right', { text: 'abd' }, ['text']],
  [
    'a list that changes must be right, with all its items',
    { list: ['ab', 'cd', 'e'] },
    ['list', 'list[0]', 'list[1]'],
  ],
  [
    'items with keys are known again',
    {
      keyed: [
        { name: 'b', n: 2 },
        { name: 'a', n: 3 },
      ],
    },
    ['keyed[1].n'],
  ],
  ['an object that changes must have what it must have', { inner: { a: 'y' } }, ['inner.must']],
]
for (const [title, change, fields] of cases) {
  test(`an update: ${title}`, () => {
    const object = { ...old, ...change }
    const errors = ratchet(validateValue(object, schema), object, old, schema)
    assert.deepEqual(errors.map(({ field }) => field).sort(), fields)
  })
}
