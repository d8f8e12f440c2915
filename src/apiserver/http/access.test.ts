// Who is who and who may what, over HTTPS: certificates, tokens, impersonation, reviews.
import assert from 'node:assert/strict'
import { generateEcKeyPair, issueCertificate, privateKeyPem } from '../../base/x509/certificate.ts'
import { json, MAPS, serverTest } from './http-server.fixture.ts'
import { JANE } from './test-server.ts'

serverTest('who shows nothing sees health and version only', async ({ call }) => {
  const nobody = { as: 'nobody' } as const
  for (const path of ['/livez', '/readyz', '/healthz', '/readyz?verbose', '/version']) {
    assert.equal((await call('GET', path, nobody)).code, 200, path)
  }
  for (const path of [
    '/',
    '/api',
    '/apis',
    '/metrics',
    '/openapi/v2',
    MAPS,
    '/livez/ping',
    '/livezz',
    '/api/v1/namespaces/default/gadgets',
  ]) {
    assert.equal((await call('GET', path, nobody)).code, 403, path)
  }
  assert.equal(
    (await call('GET', '/metrics', nobody)).json().message,
    'forbidden: User "system:anonymous" cannot get path "/metrics"',
  )
  assert.equal(
    (await call('GET', MAPS, nobody)).json().message,
    'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"',
  )
  assert.equal((await call('GET', '/readyz?verbose', nobody)).text, '[+]ping ok\nreadyz check passed\n')
})

serverTest('certificates of another authority and unknown tokens are refused', async ({ call, pki }) => {
  const keys = generateEcKeyPair()
  const subject = { commonName: 'kubernetes-admin', organizations: ['system:masters'] }
  const certificate = issueCertificate({
    subject,
    publicKey: keys.publicKey,
    issuer: { subject: { commonName: 'kubernetes' }, ...keys },
    notBefore: Date.now() - 60_000,
    notAfter: Date.now() + 3_600_000,
    usage: 'client',
  })
  const foreign = { certificate, privateKey: privateKeyPem(keys.privateKey) }
  assert.equal((await call('GET', MAPS, { as: foreign })).code, 401)
  assert.equal((await call('GET', '/livez', { as: foreign })).code, 401)
  // A server's certificate does not make a client, whatever authority signed it.
  assert.equal((await call('GET', MAPS, { as: pki.server })).code, 401)
  assert.equal((await call('GET', MAPS, { as: { token: 'guess' } })).code, 401)
})

serverTest("a user without rights gets upstream's words", async ({ call, backend }) => {
  const as = { token: JANE }
  const texts: Record<string, string> = {
    [MAPS]:
      'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"',
    '/apis/apps/v1/deployments':
      'deployments.apps is forbidden: User "jane" cannot list resource "deployments" in API group "apps" at the cluster scope',
    '/api/v1/namespaces/default/pods/p/log':
      'pods "p" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "default"',
    '/api/v1/namespaces/blue':
      'namespaces "blue" is forbidden: User "jane" cannot get resource "namespaces" in API group "" in the namespace "blue"',
    '/metrics': 'forbidden: User "jane" cannot get path "/metrics"',
  }
  for (const [path, message] of Object.entries(texts)) {
    const answer = await call('GET', path, { as })
    assert.equal(answer.code, 403)
    assert.equal(answer.json().message, message)
  }
  assert.equal(
    (await call('POST', MAPS, { as, headers: { 'Content-Type': 'application/json' }, body: '{' })).code,
    403,
  )
  for (const path of ['/api', '/apis', '/apis/apps/v1', '/openapi/v3', '/version']) {
    assert.equal((await call('GET', path, { as })).code, 200, path)
  }
  assert.deepEqual(backend.requests, [])
})

serverTest('an administrator may act as somebody else, others may not', async ({ call }) => {
  const asJane = {
    'Impersonate-User': 'jane',
    'Impersonate-Group': ['a', 'b'],
    'Impersonate-Extra-scopes': 'x',
  }
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
  const headers = { 'Content-Type': 'application/json' }
  const answer = await call('POST', path, { headers: { ...headers, ...asJane }, body })
  assert.equal(answer.code, 201)
  assert.deepEqual((answer.json().status as { userInfo: object }).userInfo, {
    username: 'jane',
    groups: ['a', 'b', 'system:authenticated'],
    extra: { scopes: ['x'] },
  })
  const refused = await call('POST', path, {
    as: { token: JANE },
    headers: { ...headers, 'Impersonate-User': 'bob' },
    body,
  })
  assert.equal(refused.code, 403)
  assert.equal(
    refused.json().message,
    'users "bob" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
  )
})

serverTest('access reviews answer through the authorizer', async ({ call }) => {
  const review = async (kind: string, spec: object, as?: { token: string }) => {
    const path = `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`
    return call('POST', path, {
      ...json({ apiVersion: 'authorization.k8s.io/v1', kind, spec }),
      ...(as && { as }),
    })
  }
  const attributes = { resourceAttributes: { verb: 'list', resource: 'pods', namespace: 'default' } }
  const own = await review('SelfSubjectAccessReview', attributes, { token: JANE })
  assert.deepEqual(own.json().status, { allowed: false })
  const about = await review('SubjectAccessReview', { ...attributes, groups: ['system:masters'] })
  assert.deepEqual(about.json().status, { allowed: true })
  const rules = await review('SelfSubjectRulesReview', { namespace: 'default' })
  assert.deepEqual((rules.json().status as { resourceRules: object }).resourceRules, [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  ])
  const bad = await review('SubjectAccessReview', { user: 'x' })
  assert.equal(bad.code, 422)
  assert.match(
    String(bad.json().message),
    /exactly one of nonResourceAttributes or resourceAttributes must be specified/,
  )
})

serverTest("a service account's token logs in and is reviewed", async ({ call, tokens }) => {
  const accounts = '/api/v1/namespaces/default/serviceaccounts'
  const made = await call(
    'POST',
    accounts,
    json({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } }),
  )
  const uid = (made.json().metadata as { uid: string }).uid
  const request = {
    namespace: 'default',
    serviceAccount: 'robot',
    uid,
    audiences: [],
    expirationSeconds: 600,
  }
  const { token } = await tokens.issue(request)
  const denied = await call('GET', MAPS, { as: { token } })
  assert.equal(denied.code, 403)
  assert.match(String(denied.json().message), /User "system:serviceaccount:default:robot" cannot list/)
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  const review = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', json(body))
  const status = review.json().status as { authenticated: boolean; user: { username: string } }
  assert.equal(status.authenticated, true)
  assert.equal(status.user.username, 'system:serviceaccount:default:robot')
  await call('DELETE', `${accounts}/robot`)
  assert.equal((await call('GET', '/api', { as: { token } })).code, 401)
})
