import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProtobufCodec } from './codec.ts'
import { codecFromTable } from './message-table.ts'
import { RepeatedMessages } from './repeated-messages.ts'

const messages = {
  Item: 'id=1:string count=2:int64',
  List: 'items=1:[]Item',
}

function pair(): { plain: ProtobufCodec; sharing: ProtobufCodec } {
  const plain = codecFromTable(messages)
  const sharing: ProtobufCodec = codecFromTable(
    messages,
    {},
    { 'List.items': new RepeatedMessages(() => sharing, 'Item') },
  )
  return { plain, sharing }
}

const items = (codec: ProtobufCodec, bytes: Uint8Array) => codec.decode('List', bytes).items as object[]

test('a message that comes again unchanged is the same object, one that changed is another', () => {
  const { plain, sharing } = pair()
  const [a, b] = items(
    sharing,
    plain.encode('List', {
      items: [
        { id: 'a', count: 1 },
        { id: 'b', count: 1 },
      ],
    }),
  )
  const next = items(
    sharing,
    plain.encode('List', {
      items: [
        { id: 'a', count: 1 },
        { id: 'b', count: 2 },
      ],
    }),
  )
  assert.equal(next[0], a)
  assert.notEqual(next[1], b)
  assert.deepEqual(next, [
    { id: 'a', count: 1 },
    { id: 'b', count: 2 },
  ])
})

test('it writes and reads what a plain codec does', () => {
  const { plain, sharing } = pair()
  const value = {
    items: [
      { id: 'x', count: -7 },
      { id: '', count: 3 },
      { id: 'x', count: 0 },
    ],
  }
  assert.deepEqual(sharing.encode('List', value), plain.encode('List', value))
  assert.deepEqual(
    sharing.decode('List', plain.encode('List', value)),
    plain.decode('List', plain.encode('List', value)),
  )
})
