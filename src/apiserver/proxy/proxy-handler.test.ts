import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { StatusError } from '../../api/status-error.ts'
import { forwardRequest } from './forward-request.ts'
import { forwardUpgrade } from './forward-upgrade.ts'
import { splitTarget } from './proxy-handler.ts'

const prefix = '/api/v1/namespaces/default/pods/web/proxy'
let backend: Server
let front: Server
const portOf = (server: Server) => (server.address() as AddressInfo).port

before(async () => {
  backend = createServer((request, response) => void answer(request, response))
  backend.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  const target = () => ({ to: 'address', scheme: 'http', host: '127.0.0.1', port: portOf(backend) }) as const
  const forwarded = (request: IncomingMessage) => {
    const { path, query } = splitTarget(request.url ?? '')
    const location = path === '/nobody' ? { ...target(), port: 1 } : target()
    return { request, location, prefix, target: `${path}${query}`, signal: new AbortController().signal }
  }
  front = createServer((request, response) => {
    forwardRequest(forwarded(request), response).catch(error => refuse(error, response))
  })
  front.on('upgrade', (request, socket, head) => {
    forwardUpgrade({ ...forwarded(request), socket, head }).catch(() => socket.destroy())
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
})

after(() => {
  for (const server of [front, backend]) {
    server.closeAllConnections()
    server.close()
  }
})

function refuse(error: unknown, response: ServerResponse): void {
  assert.ok(error instanceof StatusError)
  response.writeHead(error.status.code).end(error.status.message)
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const page = '<a href="/x">x</a>'
  if (request.url === '/page') {
    response
      .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': page.length })
      .end(page)
  } else if (request.url === '/packed') {
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' }).end(gzipSync(page))
  } else if (request.url === '/moved') {
    response.writeHead(302, { Location: '/there?a=b' }).end()
  } else {
    const body = await text(request)
    const { method, url, headers } = request
    response.writeHead(418, { 'Content-Type': 'application/json', 'X-Own': 'kept' })
    response.end(JSON.stringify({ method, url, headers, body }))
  }
}

const ask = (path: string, options: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${portOf(front)}${prefix}${path}`, { redirect: 'manual', ...options })

test('method, path, query and body arrive; status and headers come back', async () => {
  const answer = await ask('/a%2Fb/?c=d%20e', { method: 'PUT', body: 'words', headers: { 'X-Mine': 'yes' } })
  assert.equal(answer.status, 418)
  assert.equal(answer.headers.get('x-own'), 'kept')
  const { method, url, body, headers } = (await answer.json()) as {
    method: string
    url: string
    body: string
    headers: Record<string, string>
  }
  assert.deepEqual(
    { method, url, body, mine: headers['x-mine'] },
    { method: 'PUT', url: '/a%2Fb/?c=d%20e', body: 'words', mine: 'yes' },
  )
  assert.equal(headers['x-forwarded-uri'], `${prefix}/a%2Fb/`)
  assert.equal(headers['x-forwarded-host'], `127.0.0.1:${portOf(front)}`)
  assert.equal(headers['x-forwarded-for'], '127.0.0.1')
})

test('who asks is not told to the backend', async () => {
  const answer = await ask('/', { headers: { Authorization: 'Bearer secret' } })
  assert.doesNotMatch(await answer.text(), /secret/)
})

test('links of pages and of redirects lead through the proxy, packed or not', async () => {
  assert.equal(await (await ask('/page')).text(), `<a href="${prefix}/x">x</a>`)
  assert.equal(await (await ask('/packed')).text(), `<a href="${prefix}/x">x</a>`)
  assert.equal((await ask('/moved')).headers.get('location'), `${prefix}/there?a=b`)
})

test('a backend where nobody listens is a 503 in the words of Go', async () => {
  const answer = await ask('/nobody')
  assert.equal(answer.status, 503)
  assert.equal(
    await answer.text(),
    'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused',
  )
})

test('an upgrade goes through, and its bytes both ways', async () => {
  const request = httpRequest(`http://127.0.0.1:${portOf(front)}${prefix}/socket`, {
    headers: { Connection: 'Upgrade', Upgrade: 'echo' },
  })
  request.end()
  const [answer, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Duplex]
  assert.equal(answer.headers.upgrade, 'echo')
  socket.write('there and back')
  assert.equal(String((await once(socket, 'data'))[0]), 'there and back')
  socket.destroy()
})

test('the path behind /proxy stays as the client encoded it', () => {
  assert.deepEqual(splitTarget(`${prefix}/a%2Fb?c`), { prefix, path: '/a%2Fb', query: '?c' })
  assert.deepEqual(splitTarget(prefix), { prefix, path: '', query: '' })
  assert.deepEqual(splitTarget('/api/v1/nodes/n/proxy/proxy/x'), {
    prefix: '/api/v1/nodes/n/proxy',
    path: '/proxy/x',
    query: '',
  })
})
