import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonSequence } from './json-sequence.ts'

const sizes = '{"Width":80,"Height":24}\n{"Width":100,"Height":40}'

test('objects come out once they are complete, wherever the bytes are cut', () => {
  for (let size = 1; size <= sizes.length; size++) {
    const sequence = new JsonSequence()
    const objects: object[] = []
    for (let at = 0; at < sizes.length; at += size)
      objects.push(...sequence.push(Buffer.from(sizes.slice(at, at + size))))
    assert.deepEqual(objects, [
      { Width: 80, Height: 24 },
      { Width: 100, Height: 40 },
    ])
  }
})

test('what is no object is dropped, and what follows is read', () => {
  const sequence = new JsonSequence()
  assert.deepEqual(sequence.push(Buffer.from('nonsense}{"Width":1}')), [{ Width: 1 }])
})

test('a text without an end is not kept for ever', () => {
  const sequence = new JsonSequence(100)
  assert.deepEqual(sequence.push(Buffer.from('{'.repeat(200))), [])
  assert.deepEqual(sequence.push(Buffer.from('{"Width":1}')), [{ Width: 1 }])
})
