import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import { decodeKubernetesProtobuf, encodeKubernetesProtobuf } from '../../api/schema/kubernetes-protobuf.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { generateEcKeyPair, issueCertificate, privateKeyPem } from '../../base/x509/certificate.ts'
import { identity, JANE, startTestServer, type TestServer, type TestServerOptions } from './test-server.ts'

function serverTest(
  title: string,
  run: (server: TestServer) => Promise<void>,
  options?: TestServerOptions,
): void {
  test(title, async () => {
    await using server = await startTestServer(options)
    await run(server)
  })
}

const MAPS = '/api/v1/namespaces/default/configmaps'
const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})
const json = (value: unknown) => ({
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
})

serverTest('objects are created, read, listed, patched and deleted', async ({ call }) => {
  assert.equal((await call('POST', MAPS, json(configMap('a', { x: '1' })))).code, 201)
  assert.equal((await call('POST', MAPS, json(configMap('a')))).code, 409)
  assert.deepEqual((await call('GET', `${MAPS}/a`)).json().data, { x: '1' })
  const patch = { headers: { 'Content-Type': 'application/merge-patch+json' }, body: '{"data":{"x":"2"}}' }
  assert.deepEqual((await call('PATCH', `${MAPS}/a`, patch)).json().data, { x: '2' })
  assert.equal(((await call('GET', MAPS)).json().items as unknown[]).length, 1)
  assert.equal(
    (await call('DELETE', `${MAPS}/a`, json({ kind: 'DeleteOptions', gracePeriodSeconds: 0 }))).code,
    200,
  )
  const gone = await call('GET', `${MAPS}/a`)
  assert.equal(gone.code, 404)
  assert.equal(gone.json().message, 'configmaps "a" not found')
})

serverTest('every answer carries an audit id and forbids caching', async ({ call }) => {
  const answer = await call('GET', MAPS, { headers: { 'Audit-ID': 'mine-1' } })
  assert.equal(answer.headers['audit-id'], 'mine-1')
  assert.equal(answer.headers['cache-control'], 'no-cache, private')
  assert.match(String((await call('GET', '/nope')).headers['audit-id']), /^[0-9a-f-]{36}$/)
})

const ENDPOINTS_WARNING = 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'
const endpoints = {
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
} as const

serverTest(
  'no warning is sent twice, whoever gives it',
  async ({ call }) => {
    const { headers } = await call('GET', '/api/v1/namespaces/default/endpoints/a')
    assert.equal(headers.warning, `299 - "${ENDPOINTS_WARNING}", 299 - "other"`)
  },
  {
    handle: async () => ({
      kind: 'object',
      code: 200,
      object: endpoints,
      warnings: ['other', ENDPOINTS_WARNING, 'other'],
    }),
  },
)

const refusals: Record<
  string,
  {
    method?: string
    path?: string
    type?: string
    accept?: string
    body?: string
    code: number
    message: RegExp
  }
> = {
  'malformed JSON': {
    method: 'POST',
    body: '{"a":',
    code: 400,
    message: /must be of type ConfigMap\): couldn't get version\/kind; json parse error/,
  },
  'a JSON array': { method: 'POST', body: '[]', code: 400, message: /the document is not an object/ },
  'malformed YAML': {
    method: 'POST',
    type: 'application/yaml',
    body: 'a: [',
    code: 400,
    message: /yaml: line/,
  },
  'broken protobuf': {
    method: 'POST',
    type: 'application/vnd.kubernetes.protobuf',
    body: 'k8s\0\xff\xff',
    code: 400,
    message: /unrecognized/,
  },
  'an empty body': { method: 'POST', body: '', code: 400, message: /body is empty/ },
  'an unknown content type': {
    method: 'POST',
    type: 'text/html',
    body: 'x',
    code: 415,
    message:
      /^the body of the request was in an unknown format - accepted media types include: application\/json, application\/yaml, application\/vnd\.kubernetes\.protobuf$/,
  },
  'an unknown patch type': {
    method: 'PATCH',
    path: `${MAPS}/a`,
    type: 'application/json',
    body: '{}',
    code: 415,
    message: /application\/json-patch\+json, application\/merge-patch\+json/,
  },
  'a malformed patch': {
    method: 'PATCH',
    path: `${MAPS}/a`,
    type: 'application/merge-patch+json',
    body: '{',
    code: 400,
    message: /^error decoding patch: /,
  },
  'a type that nobody writes': {
    accept: 'text/html',
    code: 406,
    message:
      /^only the following media types are accepted: application\/json, application\/yaml, application\/vnd\.kubernetes\.protobuf$/,
  },
  'a limit that is no number': {
    path: `${MAPS}?limit=ten`,
    code: 400,
    message: /^strconv\.ParseInt: parsing "ten": invalid syntax$/,
  },
  'a limit beyond 64 bits': {
    path: `${MAPS}?limit=99999999999999999999`,
    code: 400,
    message: /value out of range$/,
  },
  'DeleteOptions of another kind': {
    method: 'DELETE',
    path: `${MAPS}/a`,
    body: '{"kind":"Pod"}',
    code: 400,
    message: /^decoded object cannot be converted to DeleteOptions$/,
  },
  'an unknown resource': {
    path: '/api/v1/namespaces/default/gadgets',
    code: 404,
    message: /^the server could not find the requested resource$/,
  },
  'a namespaced object without its namespace': {
    path: '/api/v1/configmaps/a',
    code: 404,
    message: /could not find/,
  },
  'a cluster-scoped object in a namespace': {
    path: '/api/v1/namespaces/default/nodes/n',
    code: 404,
    message: /could not find/,
  },
  'an unknown subresource': { path: `${MAPS}/a/status`, code: 404, message: /could not find/ },
  'a create on an object': {
    method: 'POST',
    path: `${MAPS}/a`,
    body: '{}',
    code: 405,
    message: /^the server does not allow this method on the requested resource$/,
  },
  'a create in all namespaces': {
    method: 'POST',
    path: '/api/v1/configmaps',
    body: '{}',
    code: 405,
    message: /does not allow/,
  },
  'an unknown method': { method: 'PROPFIND', code: 405, message: /does not allow/ },
  'a bad includeObject': {
    path: `${MAPS}?includeObject=Much`,
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    code: 400,
    message: /includeObject/,
  },
  'a path that is no percent-encoding': { path: `${MAPS}/%zz`, code: 400, message: /percent-encoded/ },
}

for (const [title, { method = 'GET', path = MAPS, type, accept, body, code, message }] of Object.entries(
  refusals,
)) {
  serverTest(`${title} is refused with ${code}`, async ({ call }) => {
    const headers = { 'Content-Type': type ?? 'application/json', ...(accept && { Accept: accept }) }
    const answer = await call(method, path, { headers, ...(body !== undefined && { body }) })
    const status = answer.json()
    assert.deepEqual(
      { code: answer.code, inBody: status.code, kind: status.kind },
      { code, inBody: code, kind: 'Status' },
    )
    assert.match(String(status.message), message)
  })
}

serverTest('a watch cannot be had as YAML', async ({ call }) => {
  const answer = await call('GET', `${MAPS}?watch=1`, { headers: { Accept: 'application/yaml' } })
  assert.equal(answer.code, 406)
  assert.match(answer.text, /accepted: application\/json, application\/vnd\.kubernetes\.protobuf"/)
})

serverTest('a body over 3 MiB is refused, announced or not, and the server lives on', async ({ call }) => {
  const body = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20)
  const headers = { 'Content-Type': 'application/json' }
  const announced = await call('POST', MAPS, { headers, body })
  assert.equal(announced.code, 413)
  assert.equal(announced.json().message, 'Request entity too large: limit is 3145728')
  const chunked = await call('POST', MAPS, { headers: { ...headers, 'Transfer-Encoding': 'chunked' }, body })
  assert.equal(chunked.code, 413)
  assert.equal((await call('GET', MAPS)).code, 200)
})

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

serverTest('protobuf goes in and comes out', async ({ call }) => {
  const type = 'application/vnd.kubernetes.protobuf'
  const body = encodeKubernetesProtobuf(configMap('p', { x: '1' }))
  const made = await call('POST', MAPS, { headers: { 'Content-Type': type, Accept: type }, body })
  assert.equal(made.headers['content-type'], type)
  assert.deepEqual(decodeKubernetesProtobuf(made.bytes).data, { x: '1' })
  const missing = await call('GET', `${MAPS}/none`, { headers: { Accept: `${type},application/json` } })
  assert.equal(missing.headers['content-type'], type)
  assert.equal(decodeKubernetesProtobuf(missing.bytes).reason, 'NotFound')
})

for (const [path, kind] of [
  ['/api', 'APIVersions'],
  ['/apis', 'APIGroupList'],
  ['/apis/apps', 'APIGroup'],
  ['/apis/apps/v1', 'APIResourceList'],
] as const) {
  serverTest(`${path} has a protobuf form`, async ({ call }) => {
    const answered = await call('GET', path, { headers: { Accept: 'application/vnd.kubernetes.protobuf' } })
    assert.equal(decodeKubernetesProtobuf(answered.bytes).kind, kind)
  })
}

serverTest('YAML goes in and comes out', async ({ call }) => {
  const headers = { 'Content-Type': 'application/yaml', Accept: 'application/yaml' }
  const made = await call('POST', MAPS, { headers, body: 'metadata: {name: a}\ndata: {b: "yes"}\n' })
  assert.equal(made.code, 201)
  assert.match(made.text, /^data:\n {2}b: "yes"$/m)
})

serverTest('a review has no table: 406, unless plain JSON will do', async ({ call }) => {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const spec = { nonResourceAttributes: { path: '/', verb: 'get' } }
  const review = json({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec })
  const asked = (accept: string) =>
    call('POST', path, { ...review, headers: { ...review.headers, Accept: accept } })
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  assert.equal((await asked(table)).code, 406)
  assert.equal((await asked(`${table},application/json`)).code, 201)
})

for (const version of ['v1', 'v1beta1'] as const) {
  serverTest(`tables of ${version} carry columns, cells and metadata`, async ({ call }) => {
    await call('POST', MAPS, json(configMap('a', { x: '1' })))
    const accept = `application/json;as=Table;v=${version};g=meta.k8s.io, application/json`
    const table = (await call('GET', MAPS, { headers: { Accept: accept } })).json()
    assert.equal(table.kind, 'Table')
    assert.equal(table.apiVersion, `meta.k8s.io/${version}`)
    const [row] = table.rows as { cells: unknown[]; object: { kind: string; apiVersion: string } }[]
    assert.deepEqual(row?.cells.slice(0, 2), ['a', '1'])
    assert.deepEqual(
      [row?.object.kind, row?.object.apiVersion],
      ['PartialObjectMetadata', `meta.k8s.io/${version}`],
    )
    const bare = (await call('GET', `${MAPS}?includeObject=None`, { headers: { Accept: accept } })).json()
    assert.equal((bare.rows as { object: unknown }[])[0]?.object, null)
    const full = (await call('GET', `${MAPS}?includeObject=Object`, { headers: { Accept: accept } })).json()
    assert.deepEqual((full.rows as { object: { data: object } }[])[0]?.object.data, { x: '1' })
    const missing = await call('GET', `${MAPS}/none`, { headers: { Accept: accept } })
    assert.equal(missing.json().kind, 'Status')
  })
}

serverTest('metadata alone is answered when asked for', async ({ call }) => {
  await call('POST', MAPS, json(configMap('a', { x: '1' })))
  const accept = (kind: string) => ({ headers: { Accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` } })
  const list = (await call('GET', MAPS, accept('PartialObjectMetadataList'))).json()
  assert.equal(list.kind, 'PartialObjectMetadataList')
  assert.equal((list.items as { data?: object }[])[0]?.data, undefined)
  const one = (await call('GET', `${MAPS}/a`, accept('PartialObjectMetadata'))).json()
  assert.deepEqual([one.kind, one.data], ['PartialObjectMetadata', undefined])
})

serverTest('large answers are compressed for those who can read it', async ({ call }) => {
  await call('POST', MAPS, json(configMap('big', { x: 'x'.repeat(200_000) })))
  const plain = await call('GET', `${MAPS}/big`)
  assert.equal(plain.headers['content-encoding'], undefined)
  const packed = await call('GET', `${MAPS}/big`, { headers: { 'Accept-Encoding': 'gzip' } })
  assert.equal(packed.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(packed.bytes).toString(), plain.text)
  assert.ok(packed.bytes.length < 10_000)
})

interface OpenWatch {
  response: IncomingMessage
  next: () => Promise<string>
  stop: () => void
}

function openWatch({ port, pki }: TestServer, path: string, accept = 'application/json'): Promise<OpenWatch> {
  return new Promise((resolve, reject) => {
    const { headers, ...tls } = identity(pki)
    const options = { host: '127.0.0.1', port, path, agent: false as const, ...tls }
    const request = httpsRequest({ ...options, headers: { ...headers, Accept: accept } }, response => {
      const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
      let rest = ''
      const next = async () => {
        while (!rest.includes('\n')) {
          const { value, done } = await chunks.next()
          if (done) return ''
          rest += value.toString()
        }
        const line = rest.slice(0, rest.indexOf('\n'))
        rest = rest.slice(line.length + 1)
        return line
      }
      response.on('error', () => {})
      resolve({ response, next, stop: () => request.destroy() })
    })
    request.on('error', reject)
    request.end()
  })
}

const until = async (condition: () => boolean) => {
  for (let tries = 0; !condition() && tries < 1000; tries++)
    await new Promise(resolve => setImmediate(resolve))
  assert.ok(condition())
}

serverTest(
  'a watch answers headers at once, then each change as a line, and ends with its client',
  async server => {
    const watch = await openWatch(server, `${MAPS}?watch=true`)
    assert.equal(watch.response.statusCode, 200)
    assert.equal(watch.response.headers['content-type'], 'application/json')
    await server.call('POST', MAPS, json(configMap('a')))
    const event = JSON.parse(await watch.next()) as { type: string; object: { metadata: { name: string } } }
    assert.deepEqual([event.type, event.object.metadata.name], ['ADDED', 'a'])
    const seconds = server.backend.requests[0]?.options?.timeoutSeconds ?? 0
    assert.ok(seconds >= 1800 && seconds <= 3600, String(seconds))
    watch.stop()
    await until(() => server.backend.watcherCount === 0)
  },
)

serverTest('a watch of tables repeats no columns', async server => {
  const watch = await openWatch(server, `${MAPS}?watch=true`, 'application/json;as=Table;v=v1;g=meta.k8s.io')
  await server.call('POST', MAPS, json(configMap('a')))
  await server.call('POST', MAPS, json(configMap('b')))
  const first = JSON.parse(await watch.next()) as { object: { columnDefinitions: unknown[] } }
  const second = JSON.parse(await watch.next()) as {
    object: { columnDefinitions: null; rows: { cells: string[] }[] }
  }
  assert.equal(first.object.columnDefinitions.length, 3)
  assert.equal(second.object.columnDefinitions, null)
  assert.equal(second.object.rows[0]?.cells[0], 'b')
  watch.stop()
})

serverTest('closing ends watches and lets requests finish', async server => {
  const watch = await openWatch(server, `${MAPS}?watch=true`)
  await server.server.close(5_000)
  assert.equal(await watch.next(), '')
  await assert.rejects(server.call('GET', '/livez'), /ECONNREFUSED/)
})

test('a request that takes a minute is answered with a timeout, and its work is told to stop', async () => {
  const clock = new ManualClock(Date.now())
  const handle = () => new Promise<never>(() => {})
  await using server = await startTestServer({ clock, handle })
  const answer = server.call('GET', MAPS)
  await until(() => clock.nextWakeAt() !== undefined)
  await clock.advance(60_000)
  const { code, json } = await answer
  assert.equal(code, 504)
  assert.equal(json().message, 'Timeout: request did not complete within the allotted timeout')
})

test('an unknown error is answered as an internal one', async () => {
  const handle = () => Promise.reject(new TypeError('boom'))
  await using server = await startTestServer({ handle })
  const answer = await server.call('GET', MAPS)
  assert.equal(answer.code, 500)
  assert.equal(answer.json().message, 'Internal error occurred: boom')
})

test('warnings become headers that cannot break out of them', async () => {
  const object = { ...configMap('a'), metadata: { name: 'a' } } as never
  const handle = async () => ({
    kind: 'object' as const,
    code: 200,
    object,
    warnings: ['say "no"\r\nX: y', 'ü'],
  })
  await using server = await startTestServer({ handle })
  const { headers } = await server.call('GET', `${MAPS}/a`)
  assert.equal(headers.x, undefined)
  assert.equal(
    Buffer.from(String(headers.warning), 'latin1').toString('utf8'),
    '299 - "say \\"no\\" X: y", 299 - "ü"',
  )
})

test('every answer about Endpoints says what to use instead', async () => {
  const object = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'a' } } as never
  await using server = await startTestServer({ handle: async () => ({ kind: 'object', code: 200, object }) })
  const warning = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
  const path = '/api/v1/namespaces/ns/endpoints/a'
  for (const method of ['GET', 'DELETE'])
    assert.equal((await server.call(method, path)).headers.warning, warning)
  assert.equal((await server.call('GET', `${MAPS}/a`)).headers.warning, undefined)
})

test('logs are streamed as they come', async () => {
  let release = () => {}
  const more = new Promise<void>(resolve => {
    release = resolve
  })
  async function* body() {
    yield Buffer.from('one\n')
    await more
    yield Buffer.from('two\n')
  }
  const handle = async () => ({ kind: 'stream' as const, contentType: 'text/plain', body: body() })
  await using server = await startTestServer({ handle })
  const log = await openWatch(server, '/api/v1/namespaces/default/pods/p/log?follow=true')
  assert.equal(log.response.headers['content-type'], 'text/plain')
  assert.equal(await log.next(), 'one')
  release()
  assert.equal(await log.next(), 'two')
})

serverTest(
  'an upgrade nobody serves is refused with a Status, and a torn request hurts nobody',
  async server => {
    const { port, pki } = server
    const ask = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const { headers: _, ...tls } = identity(pki)
        const socket = connect({ host: '127.0.0.1', port, ...tls }, () => socket.write(text))
        let answer = ''
        socket.on('data', chunk => {
          answer += chunk.toString()
        })
        socket.on('end', () => resolve(answer))
        socket.on('error', reject)
      })
    const path = '/api/v1/namespaces/default/pods/p/exec?command=sh'
    const upgrade = await ask(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n`,
    )
    assert.match(upgrade, /^HTTP\/1\.1 501 /)
    assert.match(upgrade, /"kind":"Status"/)
    assert.match(await ask('BLAH\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.equal((await server.call('GET', '/livez')).code, 200)
  },
)

serverTest('discovery answers both forms, with a tag that saves sending it again', async ({ call }) => {
  const groups = (await call('GET', '/apis')).json()
  assert.equal(groups.kind, 'APIGroupList')
  for (const version of ['v2', 'v2beta1']) {
    const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`
    const found = await call('GET', '/apis', { headers: { Accept: accept } })
    assert.equal(found.json().kind, 'APIGroupDiscoveryList')
    assert.equal(found.json().apiVersion, `apidiscovery.k8s.io/${version}`)
    const again = await call('GET', '/apis', {
      headers: { Accept: accept, 'If-None-Match': String(found.headers.etag) },
    })
    assert.deepEqual([again.code, again.text], [304, ''])
  }
  const core = (await call('GET', '/api/v1')).json()
  const names = (core.resources as { name: string }[]).map(({ name }) => name)
  assert.ok(names.includes('pods') && names.includes('pods/log'))
  assert.equal((await call('GET', '/apis/nope/v1')).text, '404 page not found\n')
  assert.equal((await call('GET', '/nope')).text, '404 page not found\n')
  const { code, headers } = await call('GET', '/openapi/v2', {
    headers: { Accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
  })
  assert.deepEqual(
    [code, headers['content-type']],
    [200, 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'],
  )
})
