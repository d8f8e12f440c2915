import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createErrors, objectOf, updateErrors } from '../test-validation.ts'

const quota = (spec: object, status: object = {}) =>
  objectOf('v1', 'ResourceQuota', 'd', { metadata: { resourceVersion: '1' }, spec, status })
const selector = (...matchExpressions: object[]) => ({ scopeSelector: { matchExpressions } })
const at = 'spec.scopeSelector.matchExpressions'

const cases: Record<string, [object, ...string[]]> = {
  'counts, sums and objects of any kind are fine': [
    { hard: { pods: '1', 'limits.cpu': '1', 'count/deployments.apps': '2', 'example.com/gpu': '3' } },
  ],
  'names are known': [
    { hard: { thing: '1' } },
    'spec.hard[thing]: Invalid value: "thing": must be a standard resource type or fully qualified',
    'spec.hard[thing]: Invalid value: "thing": must be a standard resource for quota',
  ],
  'counts are whole': [
    { hard: { pods: '.5' } },
    'spec.hard[pods]: Invalid value: "500m": must be an integer',
  ],
  'scopes are known': [{ scopes: ['Old'] }, 'spec.scopes: Invalid value: ["Old"]: unsupported scope'],
  'and say something of the resource': [
    { hard: { cpu: '1' }, scopes: ['BestEffort'] },
    'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
  ],
  'and not the opposite': [
    { scopes: ['Terminating', 'NotTerminating'] },
    'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes',
  ],
  'a selector by value has values': [
    selector({ scopeName: 'PriorityClass', operator: 'In' }),
    `${at}.values: Required value: must be at least one value when \`operator\` is 'In' or 'NotIn' for scope selector`,
  ],
  'others have none': [
    selector({ scopeName: 'PriorityClass', operator: 'Exists', values: ['a'] }),
    `${at}.values: Invalid value: ["a"]: must be no value when \`operator\` is 'Exist' or 'DoesNotExist' for scope selector`,
  ],
  'some scopes only exist': [
    selector({ scopeName: 'Terminating', operator: 'DoesNotExist' }),
    `${at}.operator: Invalid value: "DoesNotExist": must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity`,
  ],
  'operators are known': [
    selector({ scopeName: 'PriorityClass', operator: 'Like' }),
    `${at}.operator: Invalid value: "Like": not a valid selector operator`,
  ],
}

for (const [title, [spec, ...expected]] of Object.entries(cases)) {
  test(`quota validation: ${title}`, () => assert.deepEqual(createErrors(quota(spec)), expected))
}

test('the scopes of a quota stay', () => {
  const [before, after] = [quota({ scopes: ['Terminating'] }), quota({ scopes: ['BestEffort'] })]
  const expected = ['spec.scopes: Invalid value: ["BestEffort"]: field is immutable']
  assert.deepEqual(updateErrors(after, before), expected)
})

test('what is used cannot be negative', () => {
  const after = quota({}, { used: { pods: '-1' } })
  const expected = ['status.used[pods]: Invalid value: "-1": must be greater than or equal to 0']
  assert.deepEqual(updateErrors(after, quota({}), 'status'), expected)
})
