import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { createWebSocketStream } from 'ws'
import { SpdyConnection } from '../../base/spdy/spdy-connection.ts'
import { Channels, StreamingWorld } from './streaming-world.fixture.ts'

let world: StreamingWorld
before(async () => {
  world = await StreamingWorld.open()
  // Port 1 refuses; the others repeat what they hear, with their number before it.
  world.forward = async (port, stream) => {
    if (port === 1) throw new Error('connection refused')
    const numbered = new PassThrough()
    numbered.write(`${port}:`)
    await pipeline(stream, numbered, stream)
  }
})
after(() => world.close())

function openPair(connection: SpdyConnection, port: string, requestid: string) {
  const open = (streamtype: string) => connection.openStream({ streamtype, port, requestid })
  return { error: open('error'), data: open('data') }
}

const overSpdy = async () => {
  const connection = await world.spdy('web/portforward', ['portforward.k8s.io'])
  assert.ok(connection instanceof SpdyConnection)
  return connection
}

/** As kubectl 1.31 and later: SPDY inside the messages of a WebSocket. */
const overTunnel = async () => {
  const webSocket = world.tunnel('web/portforward', 'SPDY/3.1+portforward.k8s.io')
  await once(webSocket, 'open')
  return new SpdyConnection(createWebSocketStream(webSocket), { role: 'client' })
}

for (const [how, connect] of Object.entries({ 'over SPDY': overSpdy, 'through a WebSocket': overTunnel })) {
  test(`${how}: several connections at a time, each with words of its own when it fails`, async () => {
    const connection = await connect()
    const pairs = ['80', '81', '1'].map((port, index) => ({
      port,
      ...openPair(connection, port, String(index)),
    }))
    const told = pairs.map(({ error }) => {
      error.end()
      return text(error)
    })
    for (const { data, port } of pairs) data.end(`words for ${port}`)
    const heard = pairs.slice(0, 2).map(({ data }) => text(data))
    assert.deepEqual(await Promise.all(heard), ['80:words for 80', '81:words for 81'])
    assert.deepEqual(await Promise.all(told), [
      '',
      '',
      'error forwarding port 1 to pod web, uid u1: connection refused',
    ])
    connection.destroy()
  })
}

test('streams without a number for their request are paired by their own numbers', async () => {
  const connection = await overSpdy()
  const error = connection.openStream({ streamtype: 'error', port: '80' })
  const data = connection.openStream({ streamtype: 'data', port: '80' })
  error.end()
  data.end('old')
  assert.equal(await text(data), '80:old')
  connection.destroy()
})

test('a stream with a port or a type that makes no sense is reset; the connection goes on', async () => {
  const connection = await overSpdy()
  for (const headers of [
    { streamtype: 'data', port: '0' },
    { streamtype: 'data', port: '70000' },
    { streamtype: 'data', port: 'http' },
    { streamtype: 'data' },
    { streamtype: 'nonsense', port: '80' },
    { port: '80' },
  ] as Record<string, string>[]) {
    const stream = connection.openStream(headers)
    await assert.rejects(text(stream), /reset the SPDY stream/, JSON.stringify(headers))
  }
  const { data } = openPair(connection, '80', '9')
  data.end('still')
  assert.equal(await text(data), '80:still')
  connection.destroy()
})

for (const protocol of ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io']) {
  test(`${protocol}: per port a channel for data and one for errors, each opened with the port's number`, async () => {
    const isBase64 = protocol.includes('base64')
    const webSocket = world.webSocket('web/portforward?ports=80&ports=1', [protocol])
    const channels = new Channels(webSocket, isBase64)
    await once(webSocket, 'open')
    const bytes = Buffer.from('hello')
    webSocket.send(isBase64 ? `0${bytes.toString('base64')}` : Buffer.concat([Buffer.from([0]), bytes]))
    const expected = { 0: 'P\x0080:hello', 1: 'P\0', 2: '\x01\0' }
    while (channels.text(0) !== expected[0] || !channels.text(3).includes('refused'))
      await once(webSocket, 'message')
    assert.deepEqual({ 0: channels.text(0), 1: channels.text(1), 2: channels.text(2) }, expected)
    assert.equal(channels.text(3), '\x01\0error forwarding port 1 to pod web, uid u1: connection refused')
    webSocket.close()
    await channels.closed
  })
}

const ports: [query: string, words: string][] = [
  ['', 'query parameter "port" is required'],
  ['?ports=http', 'unable to parse "http" as a port: invalid syntax'],
  ['?ports=0', 'port "0" must be > 0'],
]
for (const [query, words] of ports) {
  test(`channels with the query "${query}" are refused`, async () => {
    const webSocket = world.webSocket(`web/portforward${query}`, ['v4.channel.k8s.io'])
    const [, answer] = (await once(webSocket, 'unexpected-response')) as [unknown, IncomingMessage]
    assert.equal(answer.statusCode, 400)
    assert.equal((await text(answer)).trim(), words)
  })
}
