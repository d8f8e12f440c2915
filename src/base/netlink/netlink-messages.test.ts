import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { attribute, listAttributes, nested, readAttributes } from './attributes.ts'
import { readConnection } from './conntrack.ts'
import { endpointBytes, ipBytes, type NftElement, portBytes, sameValue } from './nft-elements.ts'
import { changeElements, readElements } from './nft-messages.ts'

const elements: Record<string, NftElement> = {
  'a chain': { map: 'm', key: ipBytes('10.0.0.1'), value: { to: 'chain', chain: 'pick-12' } },
  'an endpoint': {
    map: 'm',
    key: portBytes(80),
    value: { to: 'data', bytes: endpointBytes('10.0.0.1', 8080) },
  },
  'a member of a set': { map: 'm', key: ipBytes('10.0.0.1'), value: { to: 'nothing' } },
  'a range': { map: 'm', key: ipBytes('10.0.0.0'), keyEnd: ipBytes('10.0.0.255'), value: { to: 'nothing' } },
}

for (const [title, element] of Object.entries(elements)) {
  test(`${title} is read as it was written`, () => {
    const [, added] = changeElements('t', { remove: [], add: [element] })
    const [read] = readElements('m', added!.body)
    assert.deepEqual({ ...read, value: undefined }, { ...element, value: undefined })
    assert.ok(sameValue(read!.value, element.value))
  })
}

test('many elements travel in messages of bounded size, each once', () => {
  const many = Array.from({ length: 2_001 }, (_, index) => ({
    ...elements['an endpoint']!,
    key: portBytes(index),
  }))
  const messages = changeElements('t', { remove: [], add: many }).slice(1, -1)
  assert.ok(messages.every(({ body }) => body.length < 65_536))
  assert.equal(messages.flatMap(({ body }) => readElements('m', body)).length, 2_001)
})

test('bytes that are no message are read as nothing, and without end', () => {
  for (let round = 0; round < 2_000; round++) {
    const bytes = randomBytes(round % 97)
    listAttributes(bytes)
    readConnection(bytes)
    readElements('m', bytes)
  }
  const zeros = Buffer.alloc(64)
  assert.deepEqual(listAttributes(zeros), [])
  assert.equal(readConnection(zeros), undefined)
})

test('a connection whose parts are too short is none', () => {
  const tuple = nested(1, nested(1, attribute(1, ipBytes('10.0.0.1')), attribute(2, Buffer.alloc(2))))
  assert.equal(readConnection(Buffer.concat([Buffer.alloc(4), tuple, tuple])), undefined)
})

test('attributes that share a type are all listed; of those by type the last counts', () => {
  const bytes = Buffer.concat([attribute(1, Buffer.from('a')), attribute(1, Buffer.from('bc'))])
  assert.deepEqual(
    listAttributes(bytes).map(([, value]) => value.toString()),
    ['a', 'bc'],
  )
  assert.equal(readAttributes(bytes).get(1)?.toString(), 'bc')
})
