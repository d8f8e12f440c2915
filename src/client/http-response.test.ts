import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WatchEvent } from '../api/kube-object.ts'
import { isExpired } from '../api/status-error.ts'
import { parseWarnings, watchEvents } from './http-response.ts'

async function read(pieces: Uint8Array[]): Promise<WatchEvent<unknown>[]> {
  const events: WatchEvent<unknown>[] = []
  async function* body() {
    yield* pieces
  }
  for await (const event of watchEvents(body())) events.push(event)
  return events
}

test('watch frames are found however the bytes are cut', async () => {
  const expected = ['ä', '€', '𝄞'].map(name => ({ type: 'ADDED', object: { metadata: { name } } }))
  const bytes = Buffer.from(expected.map(event => `${JSON.stringify(event)}\n`).join(''))
  for (const size of [1, 2, 3, 7, 50, bytes.length]) {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
    assert.deepEqual(await read(pieces), expected)
  }
})

test('an ERROR frame ends the watch with the failure it carries', async () => {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'old',
    reason: 'Expired',
    code: 410,
  }
  await assert.rejects(
    read([Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)]),
    isExpired,
  )
})

test('warnings are unquoted, several to a header or one each', () => {
  assert.deepEqual(parseWarnings(['299 - "a \\"b\\" c", 299 - "d"', '299 kube "e"', '199 - "other"']), [
    'a "b" c',
    'd',
    'e',
  ])
})
