import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { test } from 'node:test'
import { configMaps, pods } from '../api/resources.ts'
import { isForbidden, StatusError } from '../api/status-error.ts'
import { Client } from './client.ts'
import { clientContract, expiredWatchContract } from './contract.ts'
import { type LocalServer, serveHttps } from './https-server.fixture.ts'
import { httpsHandler } from './https-transport.ts'
import { MapHandler, serverError } from './map-handler.fixture.ts'

async function open() {
  const handler = new MapHandler()
  const server = await serveHttps(handler.handle)
  const client = new Client(httpsHandler(server.options), { name: '', groups: [] }, 'tester/1')
  const forgetHistory = async () => handler.forgetHistory()
  return { handler, server, client, namespace: 'default', forgetHistory, close: () => server.close() }
}

clientContract('https', open)
expiredWatchContract('https', open)

type Opened = Awaited<ReturnType<typeof open>>

function check(title: string, body: (opened: Opened) => Promise<void>): void {
  test(`https: ${title}`, { timeout: 20_000 }, async () => {
    const opened = await open()
    try {
      await body(opened)
    } finally {
      await opened.close()
    }
  })
}

check(
  'token and user agent are sent, and one connection serves many requests',
  async ({ client, server }) => {
    for (let i = 0; i < 5; i++) await client.list(configMaps, { namespace: 'default' })
    assert.equal(server.headers.at(-1)?.authorization, 'Bearer secret')
    assert.equal(server.headers.at(-1)?.['user-agent'], 'tester/1')
    assert.equal(server.connections(), 1)
  },
)

check('warnings of an answer are given along', async ({ server }) => {
  const response = await httpsHandler(server.options)({
    user: { name: '', groups: [] },
    verb: 'create',
    group: '',
    version: 'v1',
    resource: 'configmaps',
    namespace: 'default',
    options: { dryRun: ['All'] },
    body: { metadata: { name: 'a', namespace: 'default' } },
  })
  assert.deepEqual(response.kind === 'object' && response.warnings, ['nothing "was" done', 'twice'])
})

check('a log is a stream of bytes, and aborting it ends it', async ({ client }) => {
  const abort = new AbortController()
  const query = { container: 'web', follow: 'true' }
  const body = await client.stream(pods, { name: 'a', namespace: 'default' }, 'log', {
    query,
    signal: abort.signal,
  })
  let text = ''
  for await (const piece of body) {
    text += Buffer.from(piece).toString()
    abort.abort()
  }
  assert.equal(text, 'container web\n')
})

check('an aborted request rejects with the reason', async ({ client }) => {
  const signal = AbortSignal.abort(new Error('not wanted'))
  await assert.rejects(client.list(configMaps, { signal }), /not wanted/)
})

check('a server that goes away in the middle of a watch makes it fail', async ({ client, server }) => {
  const watching = (async () => {
    for await (const _ of client.watch(configMaps, { namespace: 'default', resourceVersion: '1' }));
  })()
  watching.catch(() => {})
  while (server.headers.length === 0) await new Promise(setImmediate)
  await client.list(configMaps, { namespace: 'default' })
  server.server.closeAllConnections()
  await assert.rejects(
    watching,
    (error: unknown) => error instanceof Error && !(error instanceof StatusError),
  )
})

check('the connection that was closed while idle is replaced unseen', async ({ client, server }) => {
  await client.list(configMaps, { namespace: 'default' })
  server.server.closeIdleConnections()
  assert.deepEqual((await client.list(configMaps, { namespace: 'default' })).items, [])
})

check('failures of the server arrive with code and reason', async ({ client, handler }) => {
  handler.failures.push({ verb: 'list', error: serverError(403, 'Forbidden') })
  await assert.rejects(client.list(configMaps), isForbidden)
})

test('https: an answer that is no Status becomes one by its code', async () => {
  const real = await serveHttps(async () => Promise.reject(new Error('not used')))
  const { options } = real
  const plain = await proxyOf(real, 503, 'upstream is down\n')
  const client = new Client(httpsHandler({ ...options, server: plain.server }), { name: '', groups: [] })
  await assert.rejects(client.list(configMaps), (error: unknown) => {
    assert.ok(error instanceof StatusError)
    assert.deepEqual(
      [error.status.code, error.status.reason, error.message],
      [503, 'ServiceUnavailable', 'upstream is down'],
    )
    return true
  })
  plain.close()
  await real.close()
})

/** A server with another one's certificate that gives every request the same plain answer. */
async function proxyOf(
  real: LocalServer,
  code: number,
  text: string,
): Promise<{ server: string; close(): void }> {
  const server = createServer({ cert: real.options.ca!, key: real.key }, (_, response) => {
    response.writeHead(code, { 'content-type': 'text/plain' }).end(text)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { server: `https://127.0.0.1:${(server.address() as { port: number }).port}`, close }
}
