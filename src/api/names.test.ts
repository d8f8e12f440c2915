import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isConfigMapKey,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isPortName,
  isQualifiedName,
} from './names.ts'
import { invalidValue, notSupported, tooMany } from './validation/field-error.ts'

test('a bad object name is told with example and pattern', () => {
  assert.deepEqual(isDns1123Subdomain('Foo'), [
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ])
})

test('a bad label is told with both examples, two spaces between them as upstream has it', () => {
  assert.deepEqual(isDns1123Label('A_b'), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ])
})

for (const good of ['a', 'my-name', '123', `${'a'.repeat(63)}`]) {
  test(`${good.slice(0, 10)} is a label`, () => assert.deepEqual(isDns1123Label(good), []))
}

test('keys, values and ports are checked', () => {
  assert.deepEqual(isQualifiedName('example.com/MyName'), [])
  assert.equal(isQualifiedName('/x').length, 1)
  assert.deepEqual(isLabelValue(''), [])
  assert.equal(isLabelValue('-x').length, 1)
  assert.deepEqual(isConfigMapKey('..x'), ["must not start with '..'"])
  assert.deepEqual(isPortName('http--x'), ['must not contain consecutive hyphens'])
})

test('field errors are worded as upstream words them', () => {
  assert.equal(invalidValue('a', 'x"y', 'must be z').message, 'Invalid value: "x\\"y": must be z')
  assert.equal(invalidValue('a', 70_000, 'no').message, 'Invalid value: 70000: no')
  assert.equal(
    notSupported('a', 'X', ['b', 'a']).message,
    'Unsupported value: "X": supported values: "b", "a"',
  )
  assert.equal(tooMany('a', 21, 20).message, 'Too many: 21: must have at most 20 items')
})
