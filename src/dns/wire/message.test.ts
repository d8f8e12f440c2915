import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lines, query, question } from '../testing/query.fixture.ts'
import { decodeMessage, MessageFormatError } from './decode-message.ts'
import { encodeMessage } from './encode-message.ts'
import { labelsOf, type Message, sameCase } from './message.ts'
import { TYPE } from './record-types.ts'
import {
  addressRecord,
  cnameRecord,
  ptrRecord,
  soaMinimum,
  soaRecord,
  srvRecord,
  txtRecord,
} from './records.ts'

const soa = { primary: 'ns.x', mailbox: 'me.x', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 }
const full: Message = query('a.x', 'a', {
  isResponse: true,
  authoritative: true,
  recursionAvailable: true,
  authenticData: true,
  checkingDisabled: true,
  rcode: 3,
  answers: [
    addressRecord('a.x', '10.1.2.3', 5),
    addressRecord('a.x', 'fd00::1', 4_294_967_295),
    cnameRecord('b.x', 'a.x', 0),
    srvRecord('_p._tcp.x', { weight: 50, port: 80, target: 'a.x' }, 5),
    ptrRecord('3.2.1.10.in-addr.arpa', 'a.x', 5),
    txtRecord('t.x', '1.1.0', 5),
  ],
  authorities: [soaRecord('x', soa, 5)],
  additionals: [addressRecord('c.x', '10.1.2.4', 5)],
})

test('what was encoded is decoded to the same message', () => {
  assert.deepEqual(decodeMessage(encodeMessage(full)), full)
})

test('EDNS with a large code and its flags comes through', () => {
  const message = { ...full, rcode: 16, edns: { udpSize: 1232, version: 0, dnssecOk: true } }
  assert.deepEqual(decodeMessage(encodeMessage(message)), message)
})

test('a name that was written before is pointed at, whatever its case', () => {
  const bytes = encodeMessage(
    query('www.example', 'a', { answers: [cnameRecord('WWW.Example', 'x.example', 1)] }),
  )
  // Header 12, question 13 + 4, record 2 + 10, its name: label x and a pointer.
  assert.equal(bytes.length, 12 + 17 + 12 + 4)
})

test('the target of an SRV record is written in full, as RFC 2782 asks', () => {
  const srv = srvRecord('a.x', { weight: 1, port: 2, target: 'a.x' }, 1)
  assert.equal(encodeMessage(query('a.x', 'srv', { answers: [srv] })).length, 12 + 9 + 12 + 6 + 5)
})

test('a dot inside a label is told from one between labels', () => {
  const name = 'a\\.b.c\\\\d'
  assert.deepEqual(labelsOf(name), ['a\\.b', 'c\\\\d'])
  const decoded = decodeMessage(encodeMessage(query(name, 'a')))
  assert.equal(decoded.questions[0]!.name, name)
})

test('only ASCII letters have a case', () => {
  assert.equal(sameCase('A.\u00c4.Z'), 'a.\u00c4.z')
})

test('what does not fit is cut at a whole record and said to be truncated', () => {
  const answers = Array.from({ length: 100 }, (_, index) => addressRecord('a.x', `10.0.0.${index}`, 5))
  const edns = { udpSize: 512, version: 0, dnssecOk: false }
  const bytes = encodeMessage(query('a.x', 'a', { answers, edns, additionals: full.additionals }), 512)
  const decoded = decodeMessage(bytes)
  assert.ok(bytes.length <= 512)
  assert.equal(decoded.truncated, true)
  assert.deepEqual(decoded.answers, answers.slice(0, Math.floor((512 - 11 - 21) / 16)))
  assert.deepEqual(decoded.additionals, [])
  assert.deepEqual(decoded.edns, edns)
})

test('additional records that do not fit are left out without a word', () => {
  const additionals = Array.from({ length: 100 }, (_, index) => addressRecord('b.x', `10.0.0.${index}`, 5))
  const decoded = decodeMessage(encodeMessage(query('a.x', 'a', { additionals }), 512))
  assert.equal(decoded.truncated, false)
  assert.ok(decoded.additionals.length > 20 && decoded.additionals.length < 100)
})

test('a name cannot be encoded that has no place in a message', () => {
  assert.throws(() => encodeMessage(query(`${'a'.repeat(64)}.x`, 'a')), RangeError)
  assert.throws(() => encodeMessage(query(Array(128).fill('ab').join('.'), 'a')), RangeError)
  assert.throws(() => encodeMessage(query('a..b', 'a')), RangeError)
})

const header = (questions: number) => [0, 1, 1, 0, 0, questions, 0, 0, 0, 0, 0, 0]
const malformed: Record<string, number[]> = {
  'an empty message': [],
  'half a header': header(0).slice(0, 6),
  'a question that is not there': header(1),
  'more questions than there are bytes': [...header(255), 0, 0, 1, 0, 1],
  'a label over the end': [...header(1), 9, 97, 0, 0, 1, 0, 1],
  'a pointer to itself': [...header(1), 0xc0, 12, 0, 1, 0, 1],
  'a pointer forward': [...header(1), 0xc0, 40, 0, 1, 0, 1],
  'half a pointer': [...header(1), 0xc0],
  'a label of an unknown kind': [...header(1), 0x41, 97, 0, 0, 1, 0, 1],
  'a name of more than 255 bytes': [
    ...header(1),
    ...Array(5)
      .fill([63, ...Array(63).fill(97)])
      .flat(),
    0,
    0,
    1,
    0,
    1,
  ],
}
for (const [what, bytes] of Object.entries(malformed)) {
  test(`${what} is refused`, () => {
    assert.throws(() => decodeMessage(Buffer.from(bytes)), MessageFormatError)
  })
}

test('two OPT records, and one in a wrong section, are refused', () => {
  const opt = { name: '', type: TYPE.opt, class: 1232, ttl: 0, data: [Buffer.alloc(0)] }
  assert.throws(
    () => decodeMessage(encodeMessage(query('a', 'a', { additionals: [opt, opt] }))),
    MessageFormatError,
  )
  assert.throws(() => decodeMessage(encodeMessage(query('a', 'a', { answers: [opt] }))), MessageFormatError)
  assert.equal(decodeMessage(encodeMessage(query('a', 'a', { additionals: [opt] }))).edns?.udpSize, 1232)
})

test('whatever the bytes are, decoding ends with a message or says that they are none', () => {
  const check = (bytes: Uint8Array) => {
    try {
      decodeMessage(Buffer.from(bytes))
    } catch (error) {
      assert.ok(error instanceof MessageFormatError, String(error))
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check))
  const valid = encodeMessage({ ...full, edns: { udpSize: 1232, version: 0, dnssecOk: false } })
  const damage = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(damage, fc.nat(valid.length), (changes, end) => {
      const bytes = Uint8Array.from(valid)
      for (const [at, value] of changes) bytes[at] = value
      check(bytes.subarray(0, end))
    }),
  )
})

test('a decoded message can be encoded again to the same message', () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/)
  const name = fc.array(label, { maxLength: 6 }).map(labels => labels.join('.'))
  const record = fc
    .tuple(name, fc.nat(86_400), name)
    .map(([owner, ttl, target]) => cnameRecord(owner, target, ttl))
  fc.assert(
    fc.property(name, fc.array(record, { maxLength: 10 }), (asked, answers) => {
      const message = query(asked, 'cname', { answers })
      assert.deepEqual(decodeMessage(encodeMessage(message)), message)
    }),
  )
})

test('the minimum is read from an SOA record only', () => {
  assert.equal(soaMinimum(soaRecord('x', soa, 9)), 5)
  assert.equal(soaMinimum(addressRecord('x', '10.0.0.1', 9)), undefined)
  assert.deepEqual(lines([soaRecord('x', soa, 9)]), ['x 9 SOA ns.x me.x 1 2 3 4 5'])
  assert.equal(question('x', 'any').type, 255)
})
