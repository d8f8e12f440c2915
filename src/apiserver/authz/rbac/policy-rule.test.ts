import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyRule } from '../../../api/types/rbac-v1.ts'
import type { Attributes } from '../authorizer.ts'
import { compactRules, describeRule, missingRules, ruleAllows } from './policy-rule.ts'

const user = { name: 'jane', groups: [] }
const on = (verb: string, resource: string, more: object = {}): Attributes => {
  const [plural = '', subresource] = resource.split('/')
  return {
    user,
    verb,
    group: '',
    version: 'v1',
    resource: plural,
    ...(subresource && { subresource }),
    ...more,
  }
}
const at = (verb: string, path: string): Attributes => ({ user, verb, path })
const rule = (verbs: string, resources: string, more: Partial<PolicyRule> = {}): PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: [''],
  resources: resources.split(' '),
  ...more,
})

const questions: [title: string, rule: PolicyRule, asked: Attributes, allowed: boolean][] = [
  ['the verb and the resource match', rule('get', 'pods'), on('get', 'pods'), true],
  ['another verb', rule('get', 'pods'), on('list', 'pods'), false],
  ['any verb', rule('*', 'pods'), on('list', 'pods'), true],
  ['another group', rule('get', 'pods'), on('get', 'pods', { group: 'metrics.k8s.io' }), false],
  ['a resource says nothing about its subresources', rule('get', 'pods'), on('get', 'pods/log'), false],
  ['a subresource by name', rule('get', 'pods/log'), on('get', 'pods/log'), true],
  ['a subresource of anything', rule('update', '*/scale'), on('update', 'deployments/scale'), true],
  ['everything includes subresources', rule('get', '*'), on('get', 'pods/log'), true],
  ['a subresource says nothing about its resource', rule('get', 'pods/log'), on('get', 'pods'), false],
  ['one name', rule('get', 'pods', { resourceNames: ['a'] }), on('get', 'pods', { name: 'a' }), true],
  ['another name', rule('get', 'pods', { resourceNames: ['a'] }), on('get', 'pods', { name: 'b' }), false],
  ['no name yet', rule('create', 'pods', { resourceNames: ['a'] }), on('create', 'pods'), false],
  ['a path', { verbs: ['get'], nonResourceURLs: ['/api'] }, at('get', '/api'), true],
  ['below a path', { verbs: ['get'], nonResourceURLs: ['/api/*'] }, at('get', '/api/v1'), true],
  ['beside a path', { verbs: ['get'], nonResourceURLs: ['/api/*'] }, at('get', '/apis'), false],
  ['rules about resources say nothing of paths', rule('*', '*'), at('get', '/api'), false],
  [
    'rules about paths say nothing of resources',
    { verbs: ['*'], nonResourceURLs: ['*'] },
    on('get', 'pods'),
    false,
  ],
]
for (const [title, given, asked, allowed] of questions) {
  test(`a rule: ${title}: ${allowed ? 'allows' : 'does not allow'}`, () => {
    assert.equal(ruleAllows(asked, given), allowed)
  })
}

const covers: [title: string, owned: PolicyRule[], wanted: PolicyRule[], missing: string[]][] = [
  ['the same', [rule('get', 'pods')], [rule('get', 'pods')], []],
  [
    'one verb more',
    [rule('get', 'pods')],
    [rule('get list', 'pods')],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["list"]}'],
  ],
  [
    'together two rules cover one',
    [rule('get', 'pods'), rule('list', 'pods')],
    [rule('get list', 'pods')],
    [],
  ],
  ['everything covers all', [rule('*', '*', { apiGroups: ['*'] })], [rule('get', 'pods/log')], []],
  [
    'a star is covered by a star only',
    [rule('get list watch', 'pods')],
    [rule('*', 'pods')],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["*"]}'],
  ],
  [
    'all names are more than one',
    [rule('get', 'pods', { resourceNames: ['a'] })],
    [rule('get', 'pods')],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
  ],
  [
    'one of two names',
    [rule('get', 'pods', { resourceNames: ['a'] })],
    [rule('get', 'pods', { resourceNames: ['a', 'b'] })],
    ['{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}'],
  ],
  [
    'a path below',
    [{ verbs: ['get'], nonResourceURLs: ['/api/*'] }],
    [{ verbs: ['get'], nonResourceURLs: ['/api/v1', '/x'] }],
    ['{NonResourceURLs:["/x"], Verbs:["get"]}'],
  ],
]
for (const [title, owned, wanted, missing] of covers) {
  test(`rules that are missing: ${title}`, () => {
    assert.deepEqual(compactRules(missingRules(owned, wanted)).map(describeRule), missing)
  })
}
