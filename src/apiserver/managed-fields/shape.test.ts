import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JSONSchemaProps } from '../../api/types/apiextensions-v1.ts'
import { toFieldsV1 } from './field-set.ts'
import { shapeOfCustomKind } from './shape.ts'
import { toFieldSet } from './to-field-set.ts'

const text = { type: 'string' }
const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: {
            type: 'object',
            properties: { port: { type: 'integer' }, protocol: { ...text, default: 'TCP' }, name: text },
          },
        },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
        plain: { type: 'array', items: text },
        whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text } },
        labels: { type: 'object', additionalProperties: text },
        any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        size: { 'x-kubernetes-int-or-string': true },
      },
    },
  },
} as unknown as JSONSchemaProps

const cases: Record<string, [object, object]> = {
  'a list with map keys, one of them by its default': [
    { ports: [{ port: 80, name: 'web' }] },
    { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:name': {} } } },
  ],
  'a set by its values': [{ tags: ['a'] }, { 'f:tags': { 'v:"a"': {} } }],
  'a list without a type as one piece': [{ plain: ['a', 'b'] }, { 'f:plain': {} }],
  'an atomic map as one piece': [{ whole: { a: 'x' } }, { 'f:whole': {} }],
  'a map by its keys': [{ labels: { a: 'x' } }, { 'f:labels': { 'f:a': {} } }],
  'what the schema leaves open, down to its leaves': [
    { any: { deep: { er: [1] } } },
    { 'f:any': { 'f:deep': { '.': {}, 'f:er': {} } } },
  ],
  'a number or a text as one piece': [{ size: '50%' }, { 'f:size': {} }],
}
for (const [what, [spec, fields]] of Object.entries(cases)) {
  test(`a custom kind is owned by ${what}`, () => {
    const set = toFieldSet({ metadata: { labels: { x: 'y' } }, spec }, shapeOfCustomKind(schema))
    assert.deepEqual(toFieldsV1(set), { 'f:metadata': { 'f:labels': { 'f:x': {} } }, 'f:spec': fields })
  })
}

test('a field that the schema does not have is refused', () => {
  assert.throws(() => toFieldSet({ spec: { none: 1 } }, shapeOfCustomKind(schema)), {
    message: '.spec.none: field not declared in schema',
  })
})

test('without a schema everything is owned leaf by leaf', () => {
  assert.deepEqual(toFieldsV1(toFieldSet({ spec: { a: { b: 1 } } }, shapeOfCustomKind(undefined))), {
    'f:spec': { 'f:a': { '.': {}, 'f:b': {} } },
  })
})
