import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { codecFromTable } from '../protobuf/message-table.ts'
import { GrpcClient } from './grpc-client.ts'
import { GrpcError, rpcErrorText } from './grpc-error.ts'
import { grpcService } from './grpc-service.ts'
import { serveGrpc } from './serve-grpc.ts'

const codec = codecFromTable({ Word: 'text=1:string', Count: 'to=1:int64' })
const service = grpcService('test.Echo', { Say: 'Word Word', Spell: 'Word stream:Word' }, codec)

const handlers = {
  async Say({ text }: { text: string }) {
    if (text === 'bad') throw new GrpcError(status.INVALID_ARGUMENT, 'not this word')
    return { text: `${text}!` }
  },
  async *Spell({ text }: { text: string }) {
    for (const letter of text) yield { text: letter }
  },
}

test('calls and streams go over a socket whose path is longer than the kernel takes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'grpc-test-'))
  const folder = join(dir, 'a'.repeat(120))
  mkdirSync(folder)
  const path = join(folder, 'echo.sock')
  const server = await serveGrpc(path, [{ service, handlers }])
  assert.ok(existsSync(path))
  const client = new GrpcClient(path, service)
  try {
    await client.connected(5_000)
    assert.deepEqual(await client.call('Say', { text: 'hello' }, { timeoutMs: 5_000 }), { text: 'hello!' })
    const letters: string[] = []
    const { signal } = new AbortController()
    for await (const { text } of client.stream<{ text: string }>('Spell', { text: 'abc' }, signal)) {
      letters.push(text)
    }
    assert.deepEqual(letters, ['a', 'b', 'c'])
    await assert.rejects(client.call('Say', { text: 'bad' }), error => {
      assert.equal(rpcErrorText(error), 'rpc error: code = InvalidArgument desc = not this word')
      return true
    })
  } finally {
    client.close()
    server.close()
    assert.equal(existsSync(path), false)
    rmSync(dir, { recursive: true })
  }
})
