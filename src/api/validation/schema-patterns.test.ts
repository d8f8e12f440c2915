import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import { patternErrors } from './schema-patterns.ts'

const problem = (path: string, pattern: string, text: string) => ({
  reason: 'FieldValueInvalid',
  field: `schema${path}.pattern`,
  message: `Invalid value: ${JSON.stringify(pattern)}: must be a valid regular expression, but isn't: error parsing regexp: ${text}`,
})
const PAREN = problem('', '(', 'missing closing ): `(`')
const bad: JSONSchemaProps = { pattern: '(' }

const cases: [title: string, schema: JSONSchemaProps, errors: object[]][] = [
  ['none', { type: 'string' }, []],
  ['an empty one', { type: 'string', pattern: '' }, []],
  ['one in the syntax of Go', { type: 'string', pattern: '(?i)(?P<a>\\pL)\\z' }, []],
  [
    'one in the syntax of JavaScript',
    { pattern: '(?!a)' },
    [problem('', '(?!a)', 'invalid or unsupported Perl syntax: `(?!`')],
  ],
  ['a back reference', { pattern: '(a)\\1' }, [problem('', '(a)\\1', 'invalid escape sequence: `\\1`')]],
  ['in a property', { properties: { a: bad } }, [{ ...PAREN, field: 'schema.properties[a].pattern' }]],
  ['in items', { items: bad }, [{ ...PAREN, field: 'schema.items.pattern' }]],
  [
    'in further properties',
    { additionalProperties: bad },
    [{ ...PAREN, field: 'schema.additionalProperties.pattern' }],
  ],
  [
    'in conditions',
    { anyOf: [{}, bad], allOf: [bad], oneOf: [{ properties: { b: bad } }], not: bad },
    [
      { ...PAREN, field: 'schema.anyOf[1].pattern' },
      { ...PAREN, field: 'schema.allOf[0].pattern' },
      { ...PAREN, field: 'schema.oneOf[0].properties[b].pattern' },
      { ...PAREN, field: 'schema.not.pattern' },
    ],
  ],
]
for (const [title, schema, errors] of cases) {
  test(`patterns of a schema: ${title}`, () => {
    assert.deepEqual(patternErrors(schema, 'schema'), errors)
  })
}
