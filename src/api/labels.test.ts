import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goDuration, humanDuration, parseGoDuration } from './duration.ts'
import { FieldSelectorError, matchesFields, parseFieldSelector } from './fields.ts'
import { matcherOf, parseLabelSelector, SelectorError } from './labels.ts'

const web = { app: 'web', tier: 'front', size: '5' }

const selectors: Record<string, boolean> = {
  '': true,
  'app=web': true,
  'app==web': true,
  'app=db': false,
  'app!=db': true,
  'none!=x': true,
  app: true,
  '!app': false,
  '!none': true,
  'app in (web, db)': true,
  'app notin (web)': false,
  'none notin (x)': true,
  'size>4': true,
  'size<5': false,
  'app=web,tier=front': true,
  'app=web, tier=back': false,
  'x in (,a)': false,
  'app=': false,
  'in in (a)': false,
}

for (const [text, expected] of Object.entries(selectors)) {
  test(`"${text}" ${expected ? 'selects' : 'passes over'} the web front`, () =>
    assert.equal(parseLabelSelector(text)(web), expected))
}

const refused: Record<string, string> = {
  ',app': "unable to parse requirement: found ',', expected: !, identifier, or 'end of string'",
  'app,': "unable to parse requirement: found '', expected: identifier after ','",
  'app in web': "unable to parse requirement: found 'web' expected: '('",
  'app (web)': "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt",
  'app=a b': "unable to parse requirement: found 'b', expected: ',' or 'end of string'",
}

for (const [text, message] of Object.entries(refused)) {
  test(`"${text}" is refused`, () =>
    assert.throws(() => parseLabelSelector(text), new SelectorError(message)))
}

test('an absent LabelSelector selects nothing and an empty one everything', () => {
  assert.equal(matcherOf(undefined)(web), false)
  assert.equal(matcherOf({})(web), true)
  const both = {
    matchLabels: { app: 'web' },
    matchExpressions: [{ key: 'tier', operator: 'NotIn' as const, values: ['back'] }],
  }
  assert.equal(matcherOf(both)(web), true)
})

test('field selectors compare texts, and escapes are undone', () => {
  const requirements = parseFieldSelector('status.phase=Running,spec.nodeName!=a,metadata.name==x\\,y')
  const object: Record<string, string> = {
    'status.phase': 'Running',
    'spec.nodeName': 'b',
    'metadata.name': 'x,y',
  }
  assert.equal(
    matchesFields(requirements, field => object[field]),
    true,
  )
  assert.equal(
    matchesFields(requirements, field => (field === 'spec.nodeName' ? 'a' : object[field])),
    false,
  )
  assert.throws(
    () => parseFieldSelector('nonsense'),
    new FieldSelectorError("invalid selector: 'nonsense'; can't understand 'nonsense'"),
  )
})

test('durations are written as Go writes them, and read back', () => {
  const texts = {
    0: '0s',
    1500: '1.5s',
    80000: '1m20s',
    300000: '5m0s',
    3600000: '1h0m0s',
    250: '250ms',
    0.25: '250µs',
  }
  for (const [ms, text] of Object.entries(texts)) {
    assert.equal(goDuration(Number(ms)), text)
    assert.equal(parseGoDuration(text), Number(ms))
  }
  assert.equal(parseGoDuration('5 minutes'), undefined)
})

test('ages are written as kubectl writes them', () => {
  const second = 1_000
  const minute = 60 * second
  const hour = 60 * minute
  const day = 24 * hour
  const ages: [number, string][] = [
    [5 * second, '5s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [2 * minute + 3 * second, '2m3s'],
    [10 * minute, '10m'],
    [3 * hour + 5 * minute, '3h5m'],
    [25 * hour, '25h'],
    [3 * day + 4 * hour, '3d4h'],
    [8 * day, '8d'],
    [740 * day, '2y10d'],
    [-5 * second, '<invalid>'],
  ]
  for (const [ms, text] of ages) assert.equal(humanDuration(ms), text)
})
