import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { FRAME, numbersFrame } from './frame.ts'
import { connectionOver, SpdyConnection } from './spdy-connection.ts'
import type { SpdyStream } from './spdy-stream.ts'

async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ]
  server.close()
  return [near, far]
}

async function connectionPair(onStream: (stream: SpdyStream) => void) {
  const [near, far] = await socketPair()
  const client = new SpdyConnection(near, { role: 'client' })
  const server = new SpdyConnection(far, { role: 'server', onStream })
  const close = () => {
    client.destroy()
    server.destroy()
  }
  return { client, server, near, far, [Symbol.dispose]: close }
}

async function text(stream: Readable): Promise<string> {
  let sum = ''
  for await (const chunk of stream) sum += String(chunk)
  return sum
}

/** Numbers in sequence, so that a loss or a swap shows in the digest. */
function* numbers(count: number): Generator<Buffer> {
  for (let index = 0; index < count; index++) {
    const block = Buffer.alloc(50_000)
    block.writeUInt32BE(index)
    yield block
  }
}

test('streams carry headers and bytes both ways, each with an end of its own', async () => {
  const asked: unknown[] = []
  using pair = await connectionPair(stream => {
    asked.push({ id: stream.id, ...stream.headers })
    text(stream).then(words => stream.end(words.toUpperCase()))
  })
  const streams = ['first', 'second'].map(streamtype => pair.client.openStream({ streamtype, port: '80' }))
  for (const [index, stream] of streams.entries()) stream.end(`words of ${index}`)
  assert.deepEqual(await Promise.all(streams.map(text)), ['WORDS OF 0', 'WORDS OF 1'])
  assert.deepEqual(asked, [
    { id: 1, streamtype: 'first', port: '80' },
    { id: 3, streamtype: 'second', port: '80' },
  ])
})

test('a slow reader gets every byte, though the sender has closed the connection long before', async () => {
  const sent = createHash('sha256')
  using pair = await connectionPair(async stream => {
    await pipeline(
      Readable.from(numbers(200)),
      async function* (source) {
        for await (const block of source) {
          sent.update(block as Buffer)
          yield block
        }
      },
      stream,
      { end: false },
    )
    await new Promise<void>(resolve => stream.end(resolve))
    await pair.server.close()
  })
  const stream = pair.client.openStream({})
  stream.end()
  const heard = createHash('sha256')
  await pipeline(
    stream,
    new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        heard.update(chunk)
        setImmediate(done)
      },
    }),
  )
  assert.equal(heard.digest('hex'), sent.digest('hex'))
})

test('a reader that does not read holds up the sender: what lies in between is bounded', async () => {
  let written = 0
  using pair = await connectionPair(stream => {
    const write = (): void => {
      const block = Buffer.alloc(64 * 1024)
      written += block.length
      if (!stream.destroyed) stream.write(block, error => error || write())
    }
    write()
  })
  const stream = pair.client.openStream({})
  await once(stream, 'readable')
  let before = -1
  while (before !== written) {
    before = written
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  // The kernel's own buffers of a loopback connection are a few megabytes.
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes were taken`)
  assert.ok(stream.readableLength <= 256 * 1024, `${stream.readableLength} bytes are held`)
})

test('what came before the end of the connection can be read after it', async () => {
  const opened = Promise.withResolvers<SpdyStream>()
  using pair = await connectionPair(opened.resolve)
  const stream = pair.client.openStream({})
  for (let sent = 0; sent < 4; sent++) stream.write(Buffer.alloc(15_000))
  stream.end()
  const far = await opened.promise
  await pair.client.close()
  await connectionOver(pair.server)
  assert.equal((await text(far)).length, 60_000)
})

test('a stream that is destroyed is reset at the other end; its neighbours go on', async () => {
  const opened: SpdyStream[] = []
  using pair = await connectionPair(stream => {
    opened.push(stream)
  })
  const [doomed, neighbour] = [pair.client.openStream({}), pair.client.openStream({})]
  doomed.write('half a')
  neighbour.write('hello')
  while (opened.length < 2) await new Promise(resolve => setImmediate(resolve))
  doomed.destroy()
  await assert.rejects(once(opened[0]!, 'close'), /the other end reset the SPDY stream/)
  assert.equal(opened[0]!.readableEnded, false)
  opened[1]!.end('still here')
  assert.equal(await text(neighbour), 'still here')
})

test('where a reset is how the other end takes its leave, all that came before it is read', async () => {
  const opened = Promise.withResolvers<SpdyStream>()
  const [near, far] = await socketPair()
  const client = new SpdyConnection(near, { role: 'client', resetEnds: true })
  const server = new SpdyConnection(far, { role: 'server', onStream: opened.resolve })
  try {
    const stream = client.openStream({})
    const answer = await opened.promise
    await new Promise<void>(resolve => answer.write('everything', () => resolve()))
    answer.destroy()
    assert.equal(await text(stream), 'everything')
    stream.write('this goes nowhere')
  } finally {
    client.destroy()
    server.destroy()
  }
})

test('the end of the connection ends every stream, at both ends', async () => {
  const opened = Promise.withResolvers<SpdyStream>()
  using pair = await connectionPair(opened.resolve)
  const stream = pair.client.openStream({})
  const far = await opened.promise
  pair.near.destroy()
  await Promise.all([connectionOver(pair.client), connectionOver(pair.server)])
  assert.ok(stream.destroyed)
  assert.ok(far.destroyed)
})

test('pings of the other end are answered, ours are not', async () => {
  const [near, far] = await socketPair()
  const connection = new SpdyConnection(far, { role: 'server' })
  near.write(numbersFrame(FRAME.ping, 2))
  near.write(numbersFrame(FRAME.ping, 7))
  const [answer] = (await once(near, 'data')) as [Buffer]
  assert.deepEqual(answer, numbersFrame(FRAME.ping, 7))
  connection.destroy()
  near.destroy()
})

const nonsense: Record<string, Buffer> = {
  'another version of SPDY': Buffer.from([0x80, 0x02, 0, 1, 0, 0, 0, 0]),
  'HTTP instead of SPDY': Buffer.from('\x80GET / HTTP/1.1\r\n\r\n'),
  'a control frame of 16 MB': Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]),
  'a SYN_STREAM without a stream': Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 2, 0, 0]),
  'headers that do not unpack': Buffer.concat([
    Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 14]),
    Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
  ]),
}

for (const [what, bytes] of Object.entries(nonsense)) {
  test(`${what} ends the connection`, { timeout: 5_000 }, async () => {
    const [near, far] = await socketPair()
    const connection = new SpdyConnection(far, { role: 'server', onStream: () => {} })
    near.on('error', () => {})
    near.write(bytes)
    await connectionOver(connection)
    assert.ok(far.destroyed)
    near.destroy()
  })
}

test('data for a stream that is not there, and frames of no interest, are passed over', async () => {
  using pair = await connectionPair(stream => void text(stream).then(words => stream.end(words)))
  pair.near.write(Buffer.from([0, 0, 0, 99, 0, 0, 0, 2, 1, 2]))
  pair.near.write(numbersFrame(FRAME.windowUpdate, 99, 1))
  pair.near.write(numbersFrame(FRAME.settings, 0))
  pair.near.write(numbersFrame(FRAME.rstStream, 99, 1))
  const stream = pair.client.openStream({})
  stream.end('well')
  assert.equal(await text(stream), 'well')
})
