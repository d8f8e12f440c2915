import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JSONSchemaProps, ValidationRule } from '../types/apiextensions-v1.ts'
import { validateRules } from './validation-rules.ts'

const schema = (...rules: ValidationRule[]): JSONSchemaProps => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      'x-kubernetes-validations': rules,
      properties: {
        min: { type: 'integer' },
        max: { type: 'integer' },
        namespace: { type: 'string' },
        'a-b': { type: 'string' },
        list: {
          type: 'array',
          items: { type: 'object' },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        },
      },
    },
  },
})

const cases: [title: string, rule: ValidationRule, spec: object, old: object | undefined, said: string[]][] =
  [
    ['a rule that holds', { rule: 'self.min <= self.max' }, { min: 1, max: 2 }, undefined, []],
    [
      'a rule that does not hold',
      { rule: 'self.min <= self.max' },
      { min: 3, max: 2 },
      undefined,
      ['spec: Invalid value: "object": failed rule: self.min <= self.max'],
    ],
    [
      'its message',
      { rule: 'self.min <= self.max', message: 'too small' },
      { min: 3, max: 2 },
      undefined,
      ['spec: Invalid value: "object": too small'],
    ],
    [
      'a message that is worked out',
      { rule: 'self.min <= self.max', messageExpression: "'not over ' + string(self.max)" },
      { min: 3, max: 2 },
      undefined,
      ['spec: Invalid value: "object": not over 2'],
    ],
    [
      'its reason and field',
      { rule: 'has(self.max)', reason: 'FieldValueRequired', fieldPath: '.max', message: 'set it' },
      { min: 3 },
      undefined,
      ['spec.max: Required value: set it'],
    ],
    [
      'a change that is not looked at when something is new',
      { rule: 'self.min == oldSelf.min' },
      { min: 3 },
      undefined,
      [],
    ],
    [
      'a change that is not allowed',
      { rule: 'self.min == oldSelf.min', message: 'fixed' },
      { min: 3 },
      { min: 2 },
      ['spec: Invalid value: "object": fixed'],
    ],
    [
      'an optional past',
      { rule: '!oldSelf.hasValue() || self.min >= oldSelf.value().min', optionalOldSelf: true },
      { min: 3 },
      undefined,
      [],
    ],
    [
      'names that expressions cannot write',
      { rule: "self.__namespace__ == 'x' && self.a__dash__b == 'y'" },
      { namespace: 'x', 'a-b': 'y' },
      undefined,
      [],
    ],
    [
      'a rule that fails',
      { rule: 'self.missing > 1' },
      {},
      undefined,
      ['spec: Invalid value: "object": no such key: missing evaluating rule: self.missing > 1'],
    ],
  ]
for (const [title, rule, spec, old, said] of cases) {
  test(`rules of a schema: ${title}`, () => {
    const errors = validateRules({ spec }, old && { spec: old }, schema(rule))
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      said,
    )
  })
}
