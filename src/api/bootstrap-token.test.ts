import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expiresAt, groupsOf, parseBootstrapToken, tokenForUse } from './bootstrap-token.ts'
import type { Secret } from './types/core-v1.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')

const secret = (data: Record<string, string> = {}, more: object = {}): Secret =>
  ({
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(
      Object.entries({
        'token-id': 'abcdef',
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-signing': 'true',
        ...data,
      }).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
    ...more,
  }) as Secret

test('a token is six characters, a dot and sixteen', () => {
  assert.deepEqual(parseBootstrapToken('abcdef.0123456789abcdef'), {
    id: 'abcdef',
    secret: '0123456789abcdef',
  })
  for (const text of [
    'abcdef',
    'abcde.0123456789abcdef',
    'ABCDEF.0123456789abcdef',
    'abcdef.0123456789abcdef\n',
  ])
    assert.equal(parseBootstrapToken(text), undefined, text)
})

const good: [title: string, secret: Secret, isGood: boolean][] = [
  ['without an end', secret(), true],
  ['before its end', secret({ expiration: '2026-11-21T12:00:01Z' }), true],
  ['at its end', secret({ expiration: '2026-11-21T12:00:00Z' }), false],
  ['with an end in another zone', secret({ expiration: '2026-11-21T14:00:01+02:00' }), true],
  ['with an end that is no time', secret({ expiration: 'tomorrow' }), false],
  ['for another use', secret({ 'usage-bootstrap-signing': 'false' }), false],
  ['of another type', secret({}, { type: 'Opaque' }), false],
  ['under another name', secret({ 'token-id': 'fedcba' }), false],
  ['without its secret', secret({ 'token-secret': '' }), false],
  [
    'that is going',
    secret({}, { metadata: { name: 'bootstrap-token-abcdef', deletionTimestamp: '2026-11-21T11:00:00Z' } }),
    false,
  ],
]
for (const [title, held, isGood] of good) {
  test(`a token ${title} is ${isGood ? 'good' : 'none'}`, () => {
    assert.equal(tokenForUse(held, 'signing', NOW) !== undefined, isGood)
    assert.equal(tokenForUse(held, 'authentication', NOW), undefined)
  })
}

test('groups are those of bootstrappers and no others', () => {
  assert.deepEqual(groupsOf(secret()), ['system:bootstrappers'])
  assert.deepEqual(
    groupsOf(secret({ 'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token' })),
    ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token'],
  )
  assert.equal(groupsOf(secret({ 'auth-extra-groups': 'system:masters' })), undefined)
  assert.equal(expiresAt(secret()), Number.POSITIVE_INFINITY)
})
