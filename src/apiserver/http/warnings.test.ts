// Warning headers: who gives them, how they are written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMap, MAPS, serverTest } from './http-server.fixture.ts'
import { startTestServer } from './test-server.ts'

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
