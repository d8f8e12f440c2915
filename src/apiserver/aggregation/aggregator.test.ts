import assert from 'node:assert/strict'
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { notFound, StatusError } from '../../api/status-error.ts'
import { SystemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { settle } from '../../base/manual-clock.ts'
import { selfSigned } from '../../base/x509/self-signed.fixture.ts'
import { storageLookup } from '../admission/storage-lookup.ts'
import { TestRegistry } from '../registry/test-registry.ts'
import { Aggregator } from './aggregator.ts'
import { makeFrontProxy } from './front-proxy.ts'

const API_SERVICES = 'apiregistration.k8s.io/v1/apiservices'
const CLUSTER = { namespace: undefined } as object
const LIST = {
  kind: 'APIResourceList',
  groupVersion: 'wardle.example.com/v1',
  resources: [
    { name: 'flunders', singularName: 'flunder', namespaced: true, kind: 'Flunder', verbs: ['list', 'get'] },
    { name: 'flunders/status', singularName: '', namespaced: true, kind: 'Flunder', verbs: ['get'] },
  ],
}

const UNKNOWN = notFound({ group: 'wardle.example.com', resource: 'flunders' }, 'unknown')

interface Seen {
  url: string
  headers: IncomingHttpHeaders
  /** Of the certificate that the caller showed. */
  caller: string | undefined
  isTrusted: boolean
}

async function place() {
  const identity = makeFrontProxy(Date.now())
  const seen: Seen[] = []
  const own = selfSigned('backend', { usage: 'authority', dnsNames: ['api.wardle.svc'] })
  const backend = createSecureServer(
    {
      ...own,
      ca: identity.authority,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const socket = request.socket as TLSSocket
      const caller = socket.getPeerX509Certificate()?.subject
      seen.push({ url: request.url ?? '', headers: request.headers, caller, isTrusted: socket.authorized })
      response.setHeader('content-type', 'application/json')
      if (request.url === '/apis/wardle.example.com/v1') response.end(JSON.stringify(LIST))
      else if (request.url?.endsWith('/known')) response.end('{"kind":"Flunder","metadata":{"name":"known"}}')
      else if (request.url?.endsWith('/unknown')) response.writeHead(404).end(JSON.stringify(UNKNOWN.status))
      else response.writeHead(201, { 'x-own': 'yes' }).end('{"kind":"FlunderList"}')
    },
  )
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
  const { port } = backend.address() as AddressInfo
  const api = new TestRegistry()
  let changes = 0
  const aggregator = new Aggregator({
    storage: api.storage,
    clock: api.clock,
    log: silentLog,
    lookup: storageLookup(api.storage),
    identity,
    handle: api.registry.handle,
    changed: () => {
      changes++
    },
  })
  const stop = new AbortController()
  const running = aggregator.run(stop.signal)
  // Endpoints may not be loopback addresses, names may lead there.
  const spec = { type: 'ExternalName', externalName: 'localhost' }
  await api.create('services', { metadata: { name: 'api' }, spec }, { namespace: 'wardle' })
  const service = (more: object = {}) => ({
    metadata: { name: 'v1.wardle.example.com' },
    spec: {
      group: 'wardle.example.com',
      version: 'v1',
      service: { namespace: 'wardle', name: 'api', port },
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      caBundle: Buffer.from(own.cert).toString('base64'),
      ...more,
    },
  })
  const end = async () => {
    stop.abort()
    backend.closeAllConnections()
    backend.close()
    await running
  }
  /** Until the condition is told: the backend is a real server. */
  const available = async () => {
    for (let attempt = 0; attempt < 200; attempt++) {
      await settle()
      const { status } = await api.get(API_SERVICES, 'v1.wardle.example.com', CLUSTER)
      const [condition] = (status?.conditions ?? []) as unknown as {
        status: string
        reason: string
        message: string
      }[]
      if (condition) return condition
      await new SystemClock().sleep(5, stop.signal)
    }
    throw new Error('no condition came')
  }
  return { api, aggregator, service, available, seen, end, changes: () => changes }
}

/** Sends a request through the aggregator as its HTTP server would. */
async function through(aggregator: Aggregator, path: string) {
  const user = { name: 'jane', groups: ['devs'], extra: { 'example.com/a b': ['1'] } }
  const front = createServer(async (request, response) => {
    try {
      await aggregator.find(path)!({ request, response, user, signal: new AbortController().signal })
    } catch (error) {
      response.writeHead(error instanceof StatusError ? error.status.code : 500).end(String(error))
    }
  })
  await new Promise<void>(resolve => front.listen(0, '127.0.0.1', resolve))
  const { port } = front.address() as AddressInfo
  const headers = {
    authorization: 'Bearer secret',
    'x-remote-user': 'system:admin',
    accept: 'application/json',
  }
  const answer = await new Promise<{ code: number; own: unknown; text: string }>((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, async response => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ code: response.statusCode ?? 0, own: response.headers['x-own'], text })
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
  front.close()
  return answer
}

test('requests of a registered group reach its server as the user who made them', async () => {
  const { api, aggregator, service, available, seen, end } = await place()
  await api.create(API_SERVICES, service(), CLUSTER)
  assert.equal((await available()).reason, 'Passed')
  assert.deepEqual(
    aggregator
      .resources()
      .map(({ resource, kind, subresources }) => [resource, kind, subresources.map(({ name }) => name)]),
    [['flunders', 'Flunder', ['status']]],
  )
  const path = '/apis/wardle.example.com/v1/namespaces/ns/flunders?limit=5'
  assert.deepEqual(await through(aggregator, path), { code: 201, own: 'yes', text: '{"kind":"FlunderList"}' })
  const { url, headers, caller, isTrusted } = seen.at(-1)!
  assert.deepEqual([url, caller, isTrusted], [path, 'CN=front-proxy-client', true])
  assert.deepEqual(
    [
      headers['x-remote-user'],
      headers['x-remote-group'],
      headers['x-remote-extra-example.com%2fa%20b'],
      headers.authorization,
    ],
    ['jane', 'devs', '1', undefined],
  )
  assert.equal(aggregator.find('/apis/other.example.com/v1/things'), undefined)
  await end()
})

test('a server with a foreign certificate is not there', async () => {
  const { api, aggregator, service, available, end } = await place()
  const other = makeFrontProxy(Date.now()).authority
  await api.create(API_SERVICES, service({ caBundle: Buffer.from(other).toString('base64') }), CLUSTER)
  const { status, reason, message } = await available()
  assert.deepEqual([status, reason], ['False', 'FailedDiscoveryCheck'])
  assert.match(message, /^failing or missing response: /)
  await settle()
  assert.equal((await through(aggregator, '/apis/wardle.example.com/v1/flunders')).code, 503)
  await end()
})

test('group versions of this server are registered, and forgotten when they are served no more', async () => {
  const { api, aggregator, end } = await place()
  await aggregator.registerOwn([
    { group: '', version: 'v1' },
    { group: 'apps', version: 'v1' },
  ])
  await settle()
  const names = async () =>
    (await api.list(API_SERVICES, {}, CLUSTER)).items.map(({ metadata }) => metadata.name)
  assert.deepEqual(await names(), ['v1.', 'v1.apps'])
  const { status } = await api.get(API_SERVICES, 'v1.apps', CLUSTER)
  assert.equal((status!.conditions as unknown as { reason: string }[])[0]!.reason, 'Local')
  await aggregator.registerOwn([{ group: '', version: 'v1' }])
  assert.deepEqual(await names(), ['v1.'])
  await end()
})

test('what another server serves is read as the user who asks, its refusals are its own', async () => {
  const { api, aggregator, service, available, seen, end } = await place()
  assert.equal(aggregator.reader('wardle.example.com', 'v1'), undefined)
  await api.create(API_SERVICES, service(), CLUSTER)
  await available()
  const read = aggregator.reader('wardle.example.com', 'v1')!
  const folder = '/apis/wardle.example.com/v1/namespaces/ns/flunders'
  const user = { name: 'jane', groups: ['devs'] }
  assert.equal((await read(`${folder}/known`, user)).metadata.name, 'known')
  assert.equal(seen.at(-1)!.headers['x-remote-user'], 'jane')
  await assert.rejects(read(`${folder}/unknown`, user), UNKNOWN)
  await end()
})
