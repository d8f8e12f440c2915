import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CelAuthorizer } from './authorizer-functions.ts'
import { CelError, celValue, compile } from './environment.ts'

const object = {
  spec: { replicas: 3, ratio: 1.5, image: 'nginx:1', labels: { a: 'b' }, list: ['a', 'b'] },
  nothing: null,
}
const authorizer = new CelAuthorizer(({ verb, group, resource, namespace }) => ({
  allowed: verb === 'get' && group === 'apps' && resource === 'deployments' && namespace === 'ns',
  reason: 'because',
}))

const truths = [
  'object.spec.replicas > 1 && object.spec.replicas + 1 == 4',
  'object.spec.ratio < 2',
  'has(object.spec.image) && !has(object.spec.other)',
  "object.spec.?other.orValue('x') == 'x'",
  'object.nothing == null',
  "object.spec.list.all(x, x in ['a', 'b'])",
  "object.spec.labels.exists(k, k == 'a')",
  "object.spec.image.startsWith('nginx') && object.spec.image.matches('^nginx:.*$')",
  "object.spec.image.replace('nginx', 'redis') == 'redis:1'",
  "'a-a-a'.replace('a', 'b', 2) == 'b-b-a'",
  "'%s has %d'.format(['x', object.spec.replicas]) == 'x has 3'",
  "'%.2f'.format([1.5]) == '1.50'",
  "'abc 123 45'.findAll('[0-9]+') == ['123', '45']",
  '[1, 2, 3].sum() == 6 && [3, 1].min() == 1 && [1, 3].max() == 3',
  '[1, 2, 2].isSorted() && ![2, 1].isSorted()',
  "['a', 'b'].indexOf('b') == 1",
  "sets.contains(['a', 'b'], ['a']) && !sets.intersects(['a'], ['b'])",
  "quantity('1Gi').isGreaterThan(quantity('500Mi')) && isQuantity('1k') && !isQuantity('x')",
  "quantity('200m').add(quantity('300m')).compareTo(quantity('0.5')) == 0",
  "url('https://a.example:8080/x?y=1').getHost() == 'a.example:8080'",
  "isIP('10.0.0.1') && cidr('10.0.0.0/8').containsIP('10.1.2.3') && !isCIDR('10.0.0.0')",
  "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))",
  "format.dns1123Label().validate('Not OK').size() > 0",
  "authorizer.group('apps').resource('deployments').namespace('ns').check('get').allowed()",
  "!authorizer.group('apps').resource('deployments').namespace('ns').check('delete').allowed()",
  "duration('1h') > duration('5m') && timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026",
]
for (const expression of truths) {
  test(`it is true that ${expression}`, () => {
    assert.equal(compile(expression)({ object: celValue(object), authorizer }), true)
  })
}

test('what cannot be read and what fails says so', () => {
  assert.throws(() => compile('object.'), CelError)
  assert.throws(() => compile('object.spec.other == 1')({ object: celValue(object) }), /no such key: other/)
  assert.throws(() => compile("quantity('x')")({}), CelError)
})
