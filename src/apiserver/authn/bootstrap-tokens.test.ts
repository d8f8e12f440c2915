import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../api/kube-object.ts'
import { bootstrapTokenAuthenticator } from './bootstrap-tokens.ts'

const encode = (data: Record<string, string>) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))

function authenticator(data: Record<string, string> = {}) {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: encode({
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      ...data,
    }),
  } as unknown as KubeObject
  const authenticate = bootstrapTokenAuthenticator({
    clock: { now: () => Date.parse('2026-11-21T12:00:00Z') },
    find: async (resource, namespace, name) =>
      `${resource}/${namespace}/${name}` === 'secrets/kube-system/bootstrap-token-abcdef'
        ? secret
        : undefined,
  })
  return (bearerToken: string) => authenticate({ bearerToken })
}

test('the token’s user is one of the bootstrappers', async () => {
  const show = authenticator({ 'auth-extra-groups': 'system:bootstrappers:nodes' })
  assert.deepEqual(await show('abcdef.0123456789abcdef'), {
    name: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:nodes'],
  })
})

const nobody: [title: string, token: string, data?: Record<string, string>][] = [
  ['a wrong secret', 'abcdef.0123456789abcdee'],
  ['an unknown token', 'fedcba.0123456789abcdef'],
  ['a token of another form', 'abcdef'],
  ['a token that is over', 'abcdef.0123456789abcdef', { expiration: '2026-11-21T11:59:59Z' }],
  ['a token for signing', 'abcdef.0123456789abcdef', { 'usage-bootstrap-authentication': 'false' }],
  ['a token of the masters', 'abcdef.0123456789abcdef', { 'auth-extra-groups': 'system:masters' }],
]
for (const [title, token, data] of nobody) {
  test(`${title} is nobody's`, async () => assert.equal(await authenticator(data)(token), undefined))
}
