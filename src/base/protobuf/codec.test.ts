import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecFromTable } from './message-table.ts'
import { ProtobufError } from './wire.ts'

const codec = codecFromTable(
  {
    All: 'text=1:string flag=2:bool small=3:int32 big=4:int64 size=5:uint64 ratio=6:double raw=7:bytes colour=8:enum.Colour inner=9:Inner names=10:[]string numbers=11:[]int64 inners=12:[]Inner labels=13:{string}string byName=14:{string}Inner',
    Inner: 'value=1:int64 next=2:Inner',
    Old: 'text=1:string',
  },
  { Colour: { RED: 0, GREEN: 1 } },
)

const safe = fc.maxSafeInteger()
const inner = fc.record({ value: safe }, { noNullPrototype: true })
const all = fc.record(
  {
    text: fc.string({ unit: 'grapheme' }),
    flag: fc.boolean(),
    small: fc.integer(),
    big: safe,
    size: fc.maxSafeNat(),
    ratio: fc.double({ noNaN: true }).map(n => (Object.is(n, -0) ? 0 : n)),
    raw: fc.uint8Array(),
    colour: fc.constantFrom('RED', 'GREEN'),
    inner,
    names: fc.array(fc.string()),
    numbers: fc.array(safe),
    inners: fc.array(inner),
    labels: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
    byName: fc.dictionary(fc.string(), inner, { noNullPrototype: true }),
  },
  { noNullPrototype: true },
)

test('what was encoded decodes to the same object', () => {
  fc.assert(
    fc.property(all, value => assert.deepEqual(codec.decode('All', codec.encode('All', value)), value)),
  )
})

test('decoding arbitrary bytes yields an object or a ProtobufError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
      try {
        assert.equal(typeof codec.decode('All', bytes), 'object')
      } catch (error) {
        assert.ok(error instanceof ProtobufError, String(error))
      }
    }),
  )
})

test('every truncation of a message with one field is an error', () => {
  const bytes = codec.encode('Old', { text: 'hello' })
  for (let size = 1; size < bytes.length; size++) {
    assert.throws(() => codec.decode('Old', bytes.subarray(0, size)), ProtobufError)
  }
})

test('bytes are those of the protobuf encoding guide', () => {
  const cases: [string, object, string][] = [
    ['Inner', { value: 150 }, '089601'],
    ['Inner', { value: -1 }, '08ffffffffffffffffff01'],
    ['Old', { text: 'testing' }, '0a0774657374696e67'],
    ['All', { inner: { value: 150 } }, '4a03089601'],
    ['All', { numbers: [3, 270, 86942] }, '5a06038e029ea705'],
    ['All', { colour: 'RED', text: '', flag: false }, ''],
    ['All', { labels: { b: '2', a: '1' } }, '6a060a01611201316a060a0162120132'],
  ]
  for (const [message, value, hex] of cases) {
    assert.equal(Buffer.from(codec.encode(message, value)).toString('hex'), hex)
  }
})

test('repeated numbers are read packed and unpacked', () => {
  for (const hex of ['5803588e02', '5a03038e02']) {
    assert.deepEqual(codec.decode('All', Buffer.from(hex, 'hex')).numbers, [3, 270])
  }
})

test('unknown fields are skipped, absent ones get their zero value', () => {
  const bytes = codec.encode('All', {
    text: 'kept',
    ratio: 1.5,
    raw: new Uint8Array([1]),
    inner: { value: 1 },
  })
  assert.deepEqual(codec.decode('Old', bytes), { text: 'kept' })
  assert.deepEqual(codec.decode('Inner', new Uint8Array()), { value: 0 })
})

test('a message that nests itself without end is refused', () => {
  let bytes = codec.encode('Inner', { value: 1 })
  for (let i = 0; i < 200; i++) {
    bytes = codecFromTable({ Wrap: 'next=2:bytes' }).encode('Wrap', { next: bytes })
  }
  assert.throws(() => codec.decode('Inner', bytes), /nested too deeply/)
})
