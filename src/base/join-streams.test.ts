import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { joinStreams } from './join-streams.ts'

/** A client's socket, the end that it is connected to, and the same towards a server that does as `serve` says. */
async function world(serve: (socket: Socket) => void) {
  const listen = async (onConnection: (socket: Socket) => void) => {
    const server = createServer({ allowHalfOpen: true }, onConnection)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    return { port, close: () => server.close() }
  }
  const far = await listen(serve)
  const joined = Promise.withResolvers<void>()
  const near = await listen(asking => {
    const answering = connect({ port: far.port, host: '127.0.0.1', allowHalfOpen: true })
    joinStreams(asking, answering).then(joined.resolve)
  })
  const client = connect({ port: near.port, host: '127.0.0.1', allowHalfOpen: true })
  return {
    client,
    joined: joined.promise,
    [Symbol.dispose]: () => {
      for (const one of [near, far]) one.close()
      client.destroy()
    },
  }
}

test('the answer comes though the asking side has ended long before', async () => {
  using pair = await world(socket => {
    text(socket).then(words => setTimeout(() => socket.end(words.toUpperCase()), 30))
  })
  pair.client.end('question')
  assert.equal(await text(pair.client), 'QUESTION')
  await pair.joined
})

test('the end of the answer ends the conversation, though the asking side has not ended', async () => {
  using pair = await world(socket => socket.end('x'.repeat(1_000_000)))
  assert.equal((await text(pair.client)).length, 1_000_000)
  await pair.joined
})

test('an asking side that goes away lets the other go', async () => {
  const [heard, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  using pair = await world(socket => {
    socket.on('error', () => {})
    socket.once('end', () => closed.resolve())
    socket.on('data', () => heard.resolve())
  })
  pair.client.write('half a')
  await heard.promise
  pair.client.resetAndDestroy()
  await Promise.all([pair.joined, closed.promise])
})

test('an answering side that breaks ends the conversation', async () => {
  using pair = await world(socket => {
    socket.once('data', () => socket.resetAndDestroy())
  })
  pair.client.on('error', () => {})
  pair.client.write('question')
  await pair.joined
})
