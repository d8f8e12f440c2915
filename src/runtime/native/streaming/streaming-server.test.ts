import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { silentLog } from '../../../base/log.ts'
import { ManualClock } from '../../../base/manual-clock.ts'
import { SpdyConnection } from '../../../base/spdy/spdy-connection.ts'
import { portForward } from './port-forward-session.ts'
import { type Perform, remoteCommand } from './remote-command.ts'
import { StreamingServer } from './streaming-server.ts'

const clock = new ManualClock()
const server = new StreamingServer({ clock, log: silentLog })
before(() => server.open())
after(() => server.close())

async function dial(url: string, headers: Record<string, string> = {}): Promise<SpdyConnection | string> {
  const request = httpRequest(url, {
    method: 'POST',
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      'X-Stream-Protocol-Version': 'v4.channel.k8s.io',
      ...headers,
    },
  })
  request.end()
  const refused = once(request, 'response') as Promise<[IncomingMessage]>
  const upgraded = once(request, 'upgrade') as Promise<[IncomingMessage, Duplex]>
  const [answer, socket] = await Promise.race([refused, upgraded])
  return socket
    ? new SpdyConnection(socket, { role: 'client' })
    : `${answer.statusCode} ${await text(answer)}`
}

async function connected(url: string, headers?: Record<string, string>): Promise<SpdyConnection> {
  const connection = await dial(url, headers)
  assert.ok(connection instanceof SpdyConnection, String(connection))
  return connection
}

const ALL = { stdin: true, stdout: true, stderr: true, tty: false }
const succeed: Perform = async ({ stdout, stderr }) => {
  stdout?.end('done')
  stderr?.end()
  return { exitCode: 0, command: ['x'] }
}

test('a URL is good for one connection', async () => {
  const url = server.offer(remoteCommand({ ...ALL, stdin: false, stderr: false }, clock, succeed))
  const connection = await connected(url)
  const [error, stdout] = ['error', 'stdout'].map(streamtype => connection.openStream({ streamtype }))
  assert.equal(await text(stdout!), 'done')
  assert.deepEqual(JSON.parse(await text(error!)), { metadata: {}, status: 'Success' })
  connection.destroy()
  assert.equal(await dial(url), '404 ')
})

test('a URL is forgotten after a minute; one that was never given is unknown', async () => {
  const url = server.offer(remoteCommand(ALL, clock, succeed))
  await clock.advance(60_000)
  assert.equal(await dial(url), '404 ')
  assert.equal(await dial(new URL('/guessed', url).href), '404 ')
})

test('other protocols are refused, and the URL stays good', async () => {
  const url = server.offer(remoteCommand(ALL, clock, succeed))
  assert.match(String(await dial(url, { Upgrade: 'websocket' })), /^400 SPDY\/3\.1/)
  assert.match(
    String(await dial(url, { 'X-Stream-Protocol-Version': 'v1' })),
    /^403 unable to negotiate protocol/,
  )
  const connection = await connected(url)
  connection.destroy()
})

test('too many that wait are refused', () => {
  const crowded = new StreamingServer({ clock, log: silentLog })
  return crowded.open().then(() => {
    for (let count = 0; count < 1_000; count++) crowded.offer(remoteCommand(ALL, clock, succeed))
    assert.throws(() => crowded.offer(remoteCommand(ALL, clock, succeed)), { code: 8 })
    crowded.close()
  })
})

const ends: [what: string, perform: Perform, expected: object][] = [
  [
    'a command that fails',
    async () => ({ exitCode: 3, command: ['sh', '-c', 'exit 3'] }),
    {
      metadata: {},
      status: 'Failure',
      message:
        'command terminated with non-zero exit code: error executing command [sh -c exit 3], exit code 3',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    },
  ],
  [
    'a command that cannot be run',
    async () => {
      throw new Error('no such file')
    },
    {
      metadata: {},
      status: 'Failure',
      message: 'Internal error occurred: no such file',
      reason: 'InternalError',
      details: { causes: [{ message: 'no such file' }] },
      code: 500,
    },
  ],
]
for (const [what, perform, expected] of ends) {
  test(`${what} is told on the error stream`, async () => {
    const connection = await connected(server.offer(remoteCommand({ ...ALL, stdin: false }, clock, perform)))
    const [error] = ['error', 'stdout', 'stderr'].map(streamtype => connection.openStream({ streamtype }))
    assert.deepEqual(JSON.parse(await text(error!)), expected)
    connection.destroy()
  })
}

test('a client that does not open its streams is cut off', async () => {
  const connection = await connected(server.offer(remoteCommand(ALL, clock, succeed)))
  connection.openStream({ streamtype: 'error' })
  // The server begins to wait once the first stream has reached it.
  while (!connection.signal.aborted) {
    await clock.advance(30_000)
    await new Promise(resolve => setImmediate(resolve))
  }
})

test('a port is connected to, inside no namespace but the own; a closed one is told', async () => {
  const echo = createServer(socket => socket.pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const { port } = echo.address() as { port: number }
  const url = server.offer(portForward({ sandboxId: 'own' }, clock))
  const connection = await connected(url, { 'X-Stream-Protocol-Version': 'portforward.k8s.io' })
  const pair = (number: number, requestid: string) =>
    ['error', 'data'].map(streamtype =>
      connection.openStream({ streamtype, port: String(number), requestid }),
    )
  const [, data] = pair(port, '1')
  data!.end('there and back')
  assert.equal(await text(data!), 'there and back')
  echo.close()
  const [error] = pair(1, '2')
  assert.match(
    await text(error!),
    /^failed to execute portforward: failed to connect to localhost:1 inside namespace "", IPv4: dial tcp4 127\.0\.0\.1:1: connect: connection refused IPv6 dial tcp6 \[::1\]:1: connect: /,
  )
  connection.destroy()
})
