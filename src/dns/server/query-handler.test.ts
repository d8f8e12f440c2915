import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { silentLog } from '../../base/log.ts'
import { lines, query } from '../testing/query.fixture.ts'
import { decodeMessage } from '../wire/decode-message.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import type { Message } from '../wire/message.ts'
import { RCODE } from '../wire/record-types.ts'
import { addressRecord } from '../wire/records.ts'
import { failure, type Responder } from './answer.ts'
import { queryHandler, type Transport } from './query-handler.ts'

const many: Responder = ({ name }) => ({
  ...failure(RCODE.noError),
  authoritative: true,
  answers: Array.from({ length: name.startsWith('many') ? 100 : 1 }, (_, index) =>
    addressRecord(name, `10.0.0.${index}`, 5),
  ),
})
const handle = queryHandler(
  [({ name }) => (name === 'other' ? undefined : many({ name, type: 1, class: 1 }, PLAIN))],
  silentLog,
)
const PLAIN = { dnssecOk: false, checkingDisabled: false }

async function ask(
  message: Message,
  transport: Transport = 'udp',
  responders?: Responder[],
): Promise<Message> {
  const handler = responders ? queryHandler(responders, silentLog) : handle
  const bytes = await handler(encodeMessage(message), transport)
  return decodeMessage(bytes!)
}

test('an answer carries the question, its number and its flags', async () => {
  const answer = await ask(query('WEB.x', 'a', { checkingDisabled: true }))
  assert.deepEqual(
    { ...answer, answers: lines(answer.answers) },
    query('WEB.x', 'a', {
      isResponse: true,
      authoritative: true,
      recursionAvailable: true,
      checkingDisabled: true,
      answers: lines(answer.answers) as never,
    }),
  )
  assert.deepEqual(lines(answer.answers), ['WEB.x 5 A 10.0.0.0'])
})

const sizes: [string, number | undefined, Transport, number, boolean][] = [
  ['over UDP without EDNS 512 bytes', undefined, 'udp', 512, true],
  ['over UDP with less than 512 announced 512 bytes', 100, 'udp', 512, true],
  ['over UDP what EDNS announces', 800, 'udp', 800, true],
  ['over UDP 1232 bytes at most', 65_535, 'udp', 1232, true],
  ['over TCP everything', undefined, 'tcp', 65_535, false],
]
for (const [what, udpSize, transport, limit, truncated] of sizes) {
  test(`a long answer: ${what}`, async () => {
    const edns = udpSize !== undefined && { edns: { udpSize, version: 0, dnssecOk: false } }
    const bytes = (await handle(encodeMessage(query('many.x', 'a', { ...edns })), transport))!
    const answer = decodeMessage(bytes)
    assert.ok(bytes.length <= limit && (!truncated || bytes.length > limit - 40), String(bytes.length))
    assert.equal(answer.truncated, truncated)
    assert.equal(answer.edns?.udpSize, udpSize === undefined ? undefined : 1232)
  })
}

const refused: [string, Message, number][] = [
  ['another opcode', query('a', 'a', { opcode: 2 }), RCODE.notImplemented],
  ['no question', query('a', 'a', { questions: [] }), RCODE.formatError],
  [
    'two questions',
    query('a', 'a', { questions: [...query('a', 'a').questions, ...query('b', 'a').questions] }),
    RCODE.formatError,
  ],
  [
    'another version of EDNS',
    query('a', 'a', { edns: { udpSize: 1232, version: 1, dnssecOk: false } }),
    RCODE.badVersion,
  ],
  ['the class of Hesiod', query('a', 'a', { questions: [{ name: 'a', type: 1, class: 4 }] }), RCODE.refused],
  ['a zone transfer', query('a', 'axfr'), RCODE.refused],
  ['a name that nobody answers', query('other', 'a'), RCODE.refused],
]
for (const [what, message, rcode] of refused) {
  test(`${what}: ${Object.keys(RCODE).find(key => RCODE[key as keyof typeof RCODE] === rcode)}`, async () => {
    const answer = await ask(message)
    assert.equal(answer.rcode, rcode)
    assert.equal(answer.id, message.id)
    assert.deepEqual(answer.answers, [])
  })
}

test('ANY gets the one record that says that it is not answered', async () => {
  assert.deepEqual(lines((await ask(query('a', 'any'))).answers), [
    `a 8482 HINFO ${Buffer.from('\x07RFC8482\0').toString('hex')}`,
  ])
})

test('a responder that fails, at once or later, is SERVFAIL', async () => {
  const now: Responder = () => {
    throw new Error('broken')
  }
  const later: Responder = async () => Promise.reject(new Error('broken'))
  for (const responder of [now, later])
    assert.equal((await ask(query('a', 'a'), 'udp', [responder])).rcode, RCODE.serverFailure)
})

test('the next responder is asked when one passes, at once or later', async () => {
  const passes: Responder[] = [() => undefined, async () => undefined, many]
  assert.equal((await ask(query('a', 'a'), 'udp', passes)).answers.length, 1)
})

test('responses and fragments are not answered', () => {
  assert.equal(handle(encodeMessage(query('a', 'a', { isResponse: true })), 'udp'), undefined)
  assert.equal(handle(Buffer.alloc(11), 'udp'), undefined)
})

test('a header without what it promises is FORMERR with the same number', () => {
  const bytes = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  assert.deepEqual([...(handle(bytes, 'udp') as Buffer)], [0x12, 0x34, 0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0])
})

test('whatever comes in, what goes out is a response of the right size, or nothing', () => {
  const valid = encodeMessage(query('many.x', 'a', { edns: { udpSize: 700, version: 0, dnssecOk: true } }))
  const damaged = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }).map(changes => {
    const bytes = Uint8Array.from(valid)
    for (const [at, value] of changes) bytes[at] = value
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 600 })), bytes => {
      const response = handle(Buffer.from(bytes), 'udp')
      if (response === undefined) return
      assert.ok(response instanceof Buffer && response.length <= 1232)
      const answer = decodeMessage(response)
      assert.equal(answer.isResponse, true)
      assert.equal(answer.id, Buffer.from(bytes).readUInt16BE(0))
    }),
    { numRuns: 2_000 },
  )
})
