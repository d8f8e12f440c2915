import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { test } from 'node:test'
import { SystemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { networkExchange } from '../forward/exchange.ts'
import { query, question } from '../testing/query.fixture.ts'
import { decodeMessage } from '../wire/decode-message.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import { RCODE } from '../wire/record-types.ts'
import { addressRecord } from '../wire/records.ts'
import { failure, type Responder } from './answer.ts'
import { queryHandler } from './query-handler.ts'
import { listenTcp } from './tcp-listener.ts'
import { listenUdp } from './udp-listener.ts'

const responder: Responder = ({ name }) => ({
  ...failure(RCODE.noError),
  answers: Array.from({ length: name.startsWith('many') ? 200 : 1 }, (_, index) =>
    addressRecord(name, `10.0.0.${index % 256}`, 5),
  ),
})
const handle = queryHandler([responder], silentLog)

async function listenOnBoth() {
  const tcp = await listenTcp('127.0.0.1', 0, handle)
  const udp = await listenUdp('127.0.0.1', tcp.port, handle)
  const close = async () => void (await Promise.all([tcp.close(), udp.close()]))
  return { port: tcp.port, [Symbol.asyncDispose]: close }
}

const plain = { dnssecOk: false, checkingDisabled: false }
const exchange = networkExchange(new SystemClock())

test('a question over UDP is answered, a long answer is fetched over TCP', async () => {
  await using server = await listenOnBoth()
  const at = `127.0.0.1#${server.port}`
  assert.equal((await exchange(at, question('a.x', 'a'), plain, 5_000)).answers.length, 1)
  assert.equal((await exchange(at, question('many.x', 'a'), plain, 5_000)).answers.length, 200)
})

test('a server that is not there is told at once, one that is silent after the time-out', async () => {
  const silent = createSocket('udp4')
  silent.bind(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address()
  await assert.rejects(
    exchange(`127.0.0.1#${port}`, question('a.x', 'a'), plain, 30),
    /did not answer within 30 ms/,
  )
  silent.close()
  await once(silent, 'close')
  await assert.rejects(exchange(`127.0.0.1#${port}`, question('a.x', 'a'), plain, 5_000), /ECONNREFUSED/)
})

test('an answer to another question is not taken for ours', async () => {
  const forger = createSocket('udp4')
  forger.on('message', (bytes, from) => {
    const { id, questions } = decodeMessage(bytes)
    const answers = [addressRecord('a.x', '192.0.2.66', 60)]
    const forged = [
      query('a.x', 'a', { id: (id + 1) % 65_536, isResponse: true, answers }),
      query('b.x', 'a', { id, isResponse: true, answers }),
      query('a.x', 'aaaa', { id, isResponse: true, answers }),
      query('a.x', 'a', { id, isResponse: false, answers }),
    ]
    for (const message of forged) forger.send(encodeMessage(message), from.port, from.address)
    forger.send(Buffer.from('nonsense'), from.port, from.address)
    const real = query('a.x', 'a', { id, questions, isResponse: true, rcode: RCODE.nameError })
    forger.send(encodeMessage(real), from.port, from.address)
  })
  forger.bind(0, '127.0.0.1')
  await once(forger, 'listening')
  const answer = await exchange(`127.0.0.1#${forger.address().port}`, question('a.x', 'a'), plain, 5_000)
  forger.close()
  assert.equal(answer.rcode, RCODE.nameError)
})

test('several questions on one connection are all answered, however they are cut', async () => {
  await using server = await listenOnBoth()
  const socket = createConnection(server.port, '127.0.0.1')
  const names = ['a.x', 'many.x', 'b.x']
  const sent = Buffer.concat(names.map((name, id) => framed(encodeMessage(query(name, 'a', { id })))))
  for (const cut of [3, 20, sent.length]) {
    socket.write(sent.subarray(cut === 3 ? 0 : cut === 20 ? 3 : 20, cut))
    await new Promise(resolve => setImmediate(resolve))
  }
  let received = Buffer.alloc(0)
  const answered = new Map<number, number>()
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const message = decodeMessage(received.subarray(2, 2 + received.readUInt16BE(0)))
      answered.set(message.id, message.answers.length)
      received = received.subarray(2 + received.readUInt16BE(0))
    }
    if (answered.size === 3) break
  }
  assert.deepEqual([...answered].sort(), [
    [0, 1],
    [1, 200],
    [2, 1],
  ])
})

test('nonsense over UDP and TCP does not keep the next client from its answer', async () => {
  await using server = await listenOnBoth()
  const socket = createSocket('udp4')
  for (let index = 0; index < 500; index++) {
    const bytes = Buffer.from(Array.from({ length: index % 60 }, (_, at) => (index * 31 + at * 17) & 0xff))
    socket.send(bytes, server.port, '127.0.0.1')
  }
  const nonsense = createConnection(server.port, '127.0.0.1')
  nonsense.on('error', () => {})
  nonsense.write(framed(Buffer.alloc(3)))
  nonsense.resume()
  await once(nonsense, 'close')
  const halfMessage = createConnection(server.port, '127.0.0.1')
  halfMessage.write(Buffer.from([0xff, 0xff, 1]))
  const answer = await exchange(`127.0.0.1#${server.port}`, question('a.x', 'a'), plain, 5_000)
  assert.equal(answer.answers.length, 1)
  halfMessage.destroy()
  socket.close()
})

function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
