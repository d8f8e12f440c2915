import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { KubeObject } from '../../api/kube-object.ts'
import { StatusError } from '../../api/status-error.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { generateEcKeyPair } from '../../base/x509/certificate.ts'
import { peekClaims, signToken, tokenKey } from './json-web-token.ts'
import { ServiceAccountTokens } from './service-account-tokens.ts'

const object = (name: string, uid: string, more: object = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'X', metadata: { name, uid }, ...more }) as KubeObject

function tokenTest(title: string, run: (place: Place) => Promise<void>): void {
  test(title, () => run(place()))
}

type Place = ReturnType<typeof place>

function place() {
  const objects = new Map([
    ['serviceaccounts/ns/robot', object('robot', 'sa-uid')],
    ['pods/ns/web', object('web', 'pod-uid', { spec: { nodeName: 'n1' } })],
    ['nodes//n1', object('n1', 'node-uid')],
  ])
  const clock = new ManualClock(Date.UTC(2026, 0, 1))
  const privateKey = generateEcKeyPair().privateKey
  const tokens = new ServiceAccountTokens({
    privateKey,
    clock,
    find: async (resource, namespace, name) => objects.get(`${resource}/${namespace}/${name}`),
  })
  const request = {
    namespace: 'ns',
    serviceAccount: 'robot',
    uid: 'sa-uid',
    audiences: [],
    expirationSeconds: 3600,
  }
  const boundObject = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'pod-uid' }
  return { objects, clock, tokens, request, boundObject, privateKey }
}

const refused = (message: RegExp) => (error: unknown) =>
  error instanceof StatusError && error.status.code === 401 && message.test(error.message)

tokenTest(
  'a token bound to a pod says who, where and on which node',
  async ({ tokens, request, boundObject }) => {
    const { token, expirationTimestamp } = await tokens.issue({ ...request, boundObject })
    assert.equal(expirationTimestamp, '2026-01-01T01:00:00Z')
    const { user, audiences } = await tokens.verify(token)
    assert.deepEqual(audiences, ['https://kubernetes.default.svc.cluster.local'])
    assert.equal(user.name, 'system:serviceaccount:ns:robot')
    assert.equal(user.uid, 'sa-uid')
    assert.deepEqual(user.groups, ['system:serviceaccounts', 'system:serviceaccounts:ns'])
    const { 'authentication.kubernetes.io/credential-id': credential, ...extra } = user.extra ?? {}
    assert.match(credential?.[0] ?? '', /^JTI=[0-9a-f-]{36}$/)
    assert.deepEqual(extra, {
      'authentication.kubernetes.io/pod-name': ['web'],
      'authentication.kubernetes.io/pod-uid': ['pod-uid'],
      'authentication.kubernetes.io/node-name': ['n1'],
      'authentication.kubernetes.io/node-uid': ['node-uid'],
    })
    assert.deepEqual(peekClaims(token)?.['kubernetes.io'], {
      namespace: 'ns',
      pod: { name: 'web', uid: 'pod-uid' },
      node: { name: 'n1', uid: 'node-uid' },
      serviceaccount: { name: 'robot', uid: 'sa-uid' },
    })
  },
)

tokenTest('a token dies at its time, also when it was seen before', async ({ tokens, request, clock }) => {
  const { token } = await tokens.issue(request)
  await tokens.verify(token)
  await clock.advance(3601_000)
  await assert.rejects(tokens.verify(token), refused(/expired/))
})

tokenTest('a token dies with its pod, at once', async ({ tokens, request, boundObject, objects }) => {
  const { token } = await tokens.issue({ ...request, boundObject })
  await tokens.verify(token)
  objects.set('pods/ns/web', object('web', 'another-uid'))
  await assert.rejects(tokens.verify(token), refused(/pods "web" that is gone/))
  objects.delete('pods/ns/web')
  await assert.rejects(tokens.verify(token), refused(/pods "web" that is gone/))
})

tokenTest(
  'a token dies with its account, after a minute of grace',
  async ({ tokens, request, objects, clock }) => {
    const { token } = await tokens.issue(request)
    const deleted = object('robot', 'sa-uid')
    deleted.metadata.deletionTimestamp = new Date(clock.now()).toISOString()
    objects.set('serviceaccounts/ns/robot', deleted)
    await tokens.verify(token)
    await clock.advance(61_000)
    await assert.rejects(tokens.verify(token), refused(/robot.*gone/))
  },
)

tokenTest(
  'another audience is refused here and accepted where it is asked for',
  async ({ tokens, request }) => {
    const { token } = await tokens.issue({ ...request, audiences: ['vault'] })
    await assert.rejects(tokens.verify(token), refused(/audiences \[vault\] is invalid/))
    assert.deepEqual((await tokens.verify(token, ['vault', 'other'])).audiences, ['vault'])
  },
)

tokenTest(
  'tokens of another key or issuer, and torn ones, are not accepted',
  async ({ tokens, request, privateKey }) => {
    const { token } = await tokens.issue(request)
    const claims = peekClaims(token) ?? {}
    const foreign = signToken(claims, tokenKey(generateEcKeyPair().privateKey))
    await assert.rejects(
      async () => tokens.authenticate({ bearerToken: foreign }),
      refused(/invalid bearer token/),
    )
    const rsa = signToken(claims, tokenKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey))
    await assert.rejects(tokens.verify(rsa), refused(/invalid bearer token/))
    const otherIssuer = signToken({ ...claims, iss: 'https://elsewhere' }, tokenKey(privateKey))
    assert.equal(await tokens.authenticate({ bearerToken: otherIssuer }), undefined)
    const [, payload] = token.split('.')
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    for (const bad of [unsigned, `${token}x`, token.slice(0, -4), '', 'a.b.c', `${token}.x`]) {
      await assert.rejects(tokens.verify(bad), refused(/invalid bearer token/), bad)
    }
  },
)
