import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CelError, compile, findProblem } from './environment.ts'

const truths = [
  "'abc'.matches('b')",
  "!'abc'.matches('^b$')",
  "'ABC'.matches('(?i)^abc$')",
  "'2026-11'.matches('^(?P<year>[0-9]{4})-(?P<month>[0-9]{2})$')",
  "'é'.matches('^\\\\pL$') && !'1'.matches('^\\\\pL$')",
  "'a'.matches('\\\\Aa\\\\z')",
  "matches('abc', 'b')",
  "text.matches('^ab') && text.matches(pattern)",
  'texts.all(t, t.matches(pattern))',
  "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('x') == ''",
  "'123 abc 456'.findAll('[0-9]*') == ['123', '', '', '', '', '456']",
  "'123 abc 456'.findAll('[0-9]+', 1) == ['123'] && '1 2'.findAll('[0-9]', 0) == []",
  "'1 2'.findAll('[0-9]', -1) == ['1', '2']",
]
for (const expression of truths) {
  test(`it is true that ${expression}`, () => {
    assert.equal(compile(expression)({ text: 'abc', texts: ['abc', 'b'], pattern: 'B|b' }), true)
  })
}

const failures: [expression: string, message: string][] = [
  ['text.matches(pattern)', 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
  ['matches(text, pattern)', 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
  [
    "text.find(pattern) == ''",
    'Illegal regex: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
  ],
  [
    'text.findAll(pattern) == []',
    'Illegal regex: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
  ],
  ['text.matches(lines)', 'error parsing regexp: missing closing ): `a\n(`'],
  ['text.matches(3)', "found no matching overload for 'string.matches(int)'"],
  ["long.matches('a{900}(b+)+$' + text)", 'operation cancelled: actual cost limit exceeded'],
  ["long.findAll('a[^b]*b|a' + pattern).size() > 0", 'operation cancelled: actual cost limit exceeded'],
  [
    "texts.all(t, texts.all(u, t.matches('^(x[a-z]+[a-z]*)+$') || true))",
    'operation cancelled: actual cost limit exceeded',
  ],
]
for (const [expression, message] of failures) {
  test(`${expression} fails: ${message}`, () => {
    const variables = {
      text: 'abc',
      texts: Array.from({ length: 200 }, () => 'x'.repeat(200)),
      pattern: 'b(?=c)',
      lines: 'a\n(',
      long: 'a'.repeat(6_000_000),
    }
    assert.throws(
      () => compile(expression)(variables),
      error => error instanceof CelError && error.message === message,
    )
  })
}

test('a pattern that RegExp would take years for is told at once', () => {
  const text = `${'a'.repeat(20_000)}!`
  assert.equal(compile("text.matches('^(a+)+$')")({ text }), false)
  assert.equal(compile('text.matches(pattern)')({ text, pattern: '^(a|aa)+$' }), false)
  assert.equal(compile("text.find('(a+)+b')")({ text }), '')
})

const expectation = { variables: { self: 'string' }, returns: 'bool' }

test('patterns that are spelled out are looked at before an expression runs', () => {
  assert.deepEqual(findProblem("self.matches('(')", expectation), {
    issue: "ERROR: <input>:1:14: invalid matches argument\n | self.matches('(')\n | .............^",
  })
  assert.deepEqual(findProblem("self.find('(') == ''", expectation), {
    program: 'error parsing regexp: missing closing ): `(`',
  })
  assert.deepEqual(findProblem("self != '' && self.findAll('a**').size() > 1", expectation), {
    program: 'error parsing regexp: invalid nested repetition operator: `**`',
  })
  assert.throws(() => compile("self.matches('(')"), CelError)
  assert.throws(() => compile("self.find('(')"), /^Error: program instantiation failed: error parsing regexp/)
})

test('a wrong type is told before a wrong pattern', () => {
  const found = findProblem("other.find('(') == ''", expectation)
  assert.ok(found && 'issue' in found && found.issue.includes("undeclared reference to 'other'"))
  assert.deepEqual(findProblem("self.find('(')", expectation), { type: 'string' })
})

test('no expression can ask for the function that stands in for matches', () => {
  assert.throws(() => compile("'a'.matches (RE2)('a')")({}), CelError)
})
