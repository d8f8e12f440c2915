import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Expectation, findProblem } from './environment.ts'

const expectation: Expectation = {
  variables: { self: 'Self', loose: 'dyn' },
  types: {
    'Self.item': { name: 'string', port: 'int' },
    Self: {
      x: 'int',
      y: 'double',
      s: 'string',
      on: 'bool',
      items: 'list<Self.item>',
      tags: 'list<string>',
      map: 'map<string, int>',
      any: 'dyn',
    },
  },
  returns: 'bool',
}

const wrong: [expression: string, issue: string][] = [
  ['self.z == 100', "1:5: undefined field 'z'\n | self.z == 100\n | ....^"],
  ["self.x > '1'", "1:8: found no matching overload for '_>_' applied to '(int, string)'"],
  ["'got ' + self.x == ''", "1:8: found no matching overload for '_+_' applied to '(string, int)'"],
  ['!self.x', "1:1: found no matching overload for '!_' applied to '(int)'"],
  ['self.x && self.on', "1:8: found no matching overload for '_&&_' applied to '(int, bool)'"],
  ['nobody == 1', "1:1: undeclared reference to 'nobody' (in container '')"],
  ['frobnicate(self.x)', "1:11: undeclared reference to 'frobnicate' (in container '')"],
  ['self.items.all(i, i.nam == "")', "undefined field 'nam'"],
  [
    'self.s.all(c, true)',
    "expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)",
  ],
  ['self = 42', "1:6: Syntax error: token recognition error at: '= '\n | self = 42\n | .....^"],
]
for (const [expression, issue] of wrong) {
  test(`it is told what is wrong with ${expression}`, () => {
    const found = findProblem(expression, expectation)
    assert.ok(found && 'issue' in found, JSON.stringify(found))
    assert.ok(found.issue.includes(issue), found.issue)
  })
}

const fine = [
  'self.x > 1 && self.y > 1 && self.x < 1.5',
  'has(self.s) && self.s.startsWith("a")',
  'self.items.all(i, i.port > 0 && self.items.exists_one(j, j.name == i.name))',
  'self.items.map(i, i.port).sum() < 10',
  'self.tags.all(t, t in ["a", "b"]) && self.tags == []',
  'self.map.all(k, self.map[k] > 0) && size(self.map) < 5',
  'self.any.foo.bar > 3 && loose.x == self.any',
  'self.?x.orValue(3) > 2',
  'self.on ? self.x == 1 : self.tags.size() == 0',
  'self.s == null || self.items[0].name == self.s',
  'quantity(self.s).isLessThan(quantity("1Gi"))',
  'self.s.matches("^a$") && format.dns1123Label().validate(self.s).size() == 0',
  'duration(self.s) > duration("1m") && timestamp(self.s) < timestamp("2030-01-01T00:00:00Z")',
  "type(self.x) == int && string(self.x) + 'a' == '1a'",
]
for (const expression of fine) {
  test(`nothing is wrong with ${expression}`, () => {
    assert.equal(findProblem(expression, expectation), undefined)
  })
}

test('an expression that comes to something else is told by its type', () => {
  assert.deepEqual(findProblem('self.x', expectation), { type: 'int' })
  assert.equal(findProblem('self.any', expectation), undefined)
})
