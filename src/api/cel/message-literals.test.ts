import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from './environment.ts'
import { jsonOf } from './message-functions.ts'
import { withoutMessageLiterals } from './message-literals.ts'

const made: [expression: string, result: unknown][] = [
  ['Object{}', {}],
  ['Object{ metadata: Object.metadata{ labels: {"a": "b"} } }', { metadata: { labels: { a: 'b' } } }],
  [
    'Object{spec: Object.spec{containers: object.names.map(n, Object.spec.containers{name: n, tty: true})}}',
    {
      spec: {
        containers: [
          { name: 'x', tty: true },
          { name: 'y', tty: true },
        ],
      },
    },
  ],
  ['Object{spec: Object.spec{?a: optional.of(1), ?b: optional.none()}}', { spec: { a: 1 } }],
  ['[JSONPatch{op: "add", path: "/a{b", value: {"x": 1}}]', [{ op: 'add', path: '/a{b', value: { x: 1 } }]],
  ['"/metadata/labels/" + jsonpatch.escapeKey("a/b~c")', '/metadata/labels/a~1b~0c'],
  ['true ? Object{a: 1} : Object{a: 2}', { a: 1 }],
]
for (const [expression, result] of made) {
  test(`an object is made by ${expression}`, () => {
    assert.deepEqual(jsonOf(compile(expression, 'patch')({ object: { names: ['x', 'y'] } })), result)
  })
}

test('maps, tests of membership and texts stay as they are', () => {
  for (const expression of ['{"a": 1}', '"x" in {"x": 1}', '"Object{a: 1}"', 'size({"a": {"b": 1}}) == 1']) {
    assert.equal(withoutMessageLiterals(expression), expression)
  }
})

test('types must be those of their places', () => {
  const value = compile('Object{spec: Object.wrong{a: 1}}', 'patch')({})
  assert.throws(
    () => jsonOf(value, 'Object'),
    /unexpected type name "Object\.wrong", expected "Object\.spec", which matches field name path/,
  )
})

test('fields that a JSON patch does not have are refused', () => {
  assert.throws(() => compile('JSONPatch{what: 1}', 'patch')({}), /undefined field 'what'/)
})
