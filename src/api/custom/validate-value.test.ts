import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import { findAll } from './json-path.ts'
import { applySchemaDefaults, lacksDefaults, prune } from './prune.ts'
import { validateValue } from './validate-value.ts'

const cases: [title: string, schema: JSONSchemaProps, value: unknown, said: string[]][] = [
  ['a fitting value', { type: 'string' }, 'a', []],
  [
    'another type',
    { type: 'integer' },
    'a',
    ['x: Invalid value: "string": x in body must be of type integer: "string"'],
  ],
  ['a whole number is a number', { type: 'number' }, 1, []],
  [
    'a broken number is no integer',
    { type: 'integer' },
    1.5,
    ['x: Invalid value: "number": x in body must be of type integer: "number"'],
  ],
  ['null', { type: 'string' }, null, ['x: Invalid value: "null": x in body must be of type string: "null"']],
  ['null where it may be', { type: 'string', nullable: true }, null, []],
  ['a number or a text', { 'x-kubernetes-int-or-string': true }, '50%', []],
  [
    'neither number nor text',
    { 'x-kubernetes-int-or-string': true },
    true,
    ['x: Invalid value: "boolean": x in body must be of type integer,string: "boolean"'],
  ],
  [
    'a choice',
    { type: 'string', enum: ['a', 'b'] },
    'c',
    ['x: Unsupported value: "c": supported values: "a", "b"'],
  ],
  [
    'too small',
    { type: 'integer', minimum: 1 },
    0,
    ['x: Invalid value: 0: x in body should be greater than or equal to 1'],
  ],
  [
    'just too small',
    { type: 'integer', minimum: 1, exclusiveMinimum: true },
    1,
    ['x: Invalid value: 1: x in body should be greater than 1'],
  ],
  [
    'no multiple',
    { type: 'integer', multipleOf: 5 },
    7,
    ['x: Invalid value: 7: x in body should be a multiple of 5'],
  ],
  ['a pattern that is found somewhere', { type: 'string', pattern: 'b+' }, 'abbc', []],
  ['a pattern in the syntax of Go', { type: 'string', pattern: '(?i)^(?P<name>\\pL+)\\z' }, 'Größe', []],
  [
    'a pattern that is not found',
    { type: 'string', pattern: '^b$' },
    'abc',
    [`x: Invalid value: "abc": x in body should match '^b$'`],
  ],
  ['an empty pattern', { type: 'string', pattern: '' }, 'abc', []],
  [
    'a pattern that nobody can read',
    { type: 'string', pattern: 'a(?=b)' },
    'ab',
    [
      'x: Invalid value: "ab": x in body should match \'a(?=b), but pattern is invalid: error parsing regexp: invalid or unsupported Perl syntax: `(?=`\'',
    ],
  ],
  [
    'a pattern that RegExp would take years for',
    { type: 'string', pattern: '^(([a-z])+.)+[A-Z]([a-z])+$' },
    'a'.repeat(60),
    [`x: Invalid value: "${'a'.repeat(60)}": x in body should match '^(([a-z])+.)+[A-Z]([a-z])+$'`],
  ],
  [
    'too short',
    { type: 'string', minLength: 2 },
    'a',
    ['x: Invalid value: "a": x in body should be at least 2 chars long'],
  ],
  ['too long', { type: 'string', maxLength: 2 }, 'abc', ['x: Too long: may not be more than 2 bytes']],
  [
    'a pattern',
    { type: 'string', pattern: '^a+$' },
    'b',
    ['x: Invalid value: "b": x in body should match \'^a+$\''],
  ],
  [
    'a format',
    { type: 'string', format: 'ipv4' },
    'b',
    ['x: Invalid value: "b": x in body must be of type ipv4: "b"'],
  ],
  [
    'too many',
    { type: 'array', maxItems: 1, items: { type: 'string' } },
    ['a', 'b'],
    ['x: Too many: 2: must have at most 1 item'],
  ],
  [
    'a wrong item',
    { type: 'array', items: { type: 'string' } },
    ['a', 1],
    ['x[1]: Invalid value: "integer": x[1] in body must be of type string: "integer"'],
  ],
  [
    'a set',
    { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    ['a', 'a'],
    ['x[1]: Duplicate value: "a"'],
  ],
  [
    'a list by keys',
    {
      type: 'array',
      items: { type: 'object' },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
    [{ name: 'a' }, { name: 'a', more: 1 }],
    ['x[1]: Duplicate value: {"name":"a"}'],
  ],
  ['what must be there', { type: 'object', required: ['y'] }, {}, ['x.y: Required value']],
  [
    'deep inside',
    { type: 'object', additionalProperties: { type: 'object', properties: { z: { type: 'string' } } } },
    { a: { z: 1 } },
    ['x.a.z: Invalid value: "integer": x.a.z in body must be of type string: "integer"'],
  ],
  [
    'one of',
    { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    { a: 1, b: 2 },
    [
      'x: Invalid value: {"a":1,"b":2}: "x" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  ],
  [
    'none of',
    { type: 'object', oneOf: [{ required: ['a'] }] },
    {},
    ['x: Invalid value: {}: "x" must validate one and only one schema (oneOf). Found none valid'],
  ],
  [
    'any of',
    { type: 'object', anyOf: [{ required: ['a'] }] },
    {},
    ['x: Invalid value: {}: "x" must validate at least one schema (anyOf)'],
  ],
  [
    'not',
    { type: 'object', not: { required: ['a'] } },
    { a: 1 },
    ['x: Invalid value: {"a":1}: "x" must not validate the schema (not)'],
  ],
]
for (const [title, schema, value, said] of cases) {
  test(`a value against its schema: ${title}`, () => {
    assert.deepEqual(
      validateValue(value, schema, 'x').map(({ field, message }) => `${field}: ${message}`),
      said,
    )
  })
}

const schema: JSONSchemaProps = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      default: {},
      properties: {
        size: { type: 'integer', default: 1 },
        free: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { tight: { type: 'object' } },
        },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        list: {
          type: 'array',
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, port: { type: 'integer', default: 80 } },
          },
        },
      },
    },
  },
}

test('what the schema does not know goes, and is named', () => {
  const object = {
    apiVersion: 'x/v1',
    kind: 'X',
    metadata: { name: 'a', anything: 1 },
    other: 1,
    spec: {
      bad: 1,
      free: { any: 1, tight: { lost: 1 } },
      labels: { a: 'b' },
      list: [{ name: 'n', extra: 1 }],
    },
  }
  assert.deepEqual(prune(object, schema), ['other', 'spec.bad', 'spec.free.tight.lost', 'spec.list[0].extra'])
  assert.deepEqual(object.spec, {
    free: { any: 1, tight: {} },
    labels: { a: 'b' },
    list: [{ name: 'n' }],
  } as never)
})

test('defaults are filled in at every depth, and only where something is missing', () => {
  const empty = {}
  assert.ok(lacksDefaults(empty, schema))
  applySchemaDefaults(empty, schema)
  assert.deepEqual(empty, { spec: { size: 1 } })
  const given = { spec: { size: 5, list: [{}, { port: 1 }] } }
  applySchemaDefaults(given, schema)
  assert.deepEqual(given, { spec: { size: 5, list: [{ port: 80 }, { port: 1 }] } })
  assert.equal(lacksDefaults(given, schema), false)
})

const status = {
  conditions: [
    { type: 'Ready', status: 'True', n: 1 },
    { type: 'Other', status: 'False', n: 2 },
  ],
  'a.b': { c: 'dotted' },
}
const paths: [path: string, found: unknown[]][] = [
  ['.status.conditions[0].type', ['Ready']],
  ['.status.conditions[-1].type', ['Other']],
  ['.status.conditions[*].type', ['Ready', 'Other']],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  ["{.status.conditions[?(@.type=='Other')].n}", [2]],
  ['.status.conditions[?(@.n==2)].type', ['Other']],
  ['.status.a\\.b.c', ['dotted']],
  ["['status']['a.b'].c", ['dotted']],
  ['.status.nothing.here', []],
  ['.status[[', []],
]
for (const [path, found] of paths) {
  test(`the path ${path}`, () => assert.deepEqual(findAll({ status }, path), found))
}
