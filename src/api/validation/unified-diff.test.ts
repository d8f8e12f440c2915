import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goJson, internalForm } from './internal-json.ts'
import { unifiedDiff } from './unified-diff.ts'

const cases: Record<string, [string[], string[], string]> = {
  'texts that are the same': [['a', 'b'], ['a', 'b'], ''],
  'one line instead of another': [['a'], ['b'], '@@ -1 +1 @@\n-a\n+b\n'],
  'a further line': [['a', 'b'], ['a', 'x', 'b'], '@@ -1,2 +1,3 @@\n a\n+x\n b\n'],
  'a line less': [['a', 'x', 'b'], ['a', 'b'], '@@ -1,3 +1,2 @@\n a\n-x\n b\n'],
}

for (const [what, [before, after, expected]] of Object.entries(cases)) {
  test(`${what}`, () => assert.equal(unifiedDiff(before.join('\n'), after.join('\n')), expected))
}

test('changes far apart get a hunk each, with three lines of context', () => {
  const lines = Array.from({ length: 20 }, (_, index) => `l${index}`)
  const after = lines.with(1, 'X').with(18, 'Y')
  assert.equal(
    unifiedDiff(lines.join('\n'), after.join('\n')),
    '@@ -1,5 +1,5 @@\n l0\n-l1\n+X\n l2\n l3\n l4\n@@ -16,5 +16,5 @@\n l15\n l16\n l17\n-l18\n+Y\n l19\n',
  )
})

test('internal structs are written with the names of Go, every field there', () => {
  assert.equal(
    goJson(internalForm('core/v1.Toleration', { key: 'a<b', tolerationSeconds: 5 })),
    '{"Key":"a\\u003cb","Operator":"","Value":"","Effect":"","TolerationSeconds":5}',
  )
})
