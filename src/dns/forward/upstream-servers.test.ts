import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import { followUpstreams, serversOf } from './upstream-servers.ts'

test('the resolvers are those of the file, once each, without this server', () => {
  const file =
    '# nameserver 192.0.2.9\nnameserver 192.0.2.1\n  nameserver\t192.0.2.2 \nnameserver 192.0.2.1\nnameserver 10.96.0.10\nsearch x\n'
  assert.deepEqual(serversOf(file, new Set(['10.96.0.10'])), ['192.0.2.1', '192.0.2.2'])
})

test('a file that is replaced is read again', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'resolv-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'resolv.conf')
  const told: string[] = []
  let onTold = Promise.withResolvers<void>()
  const stop = new AbortController()
  const following = followUpstreams(
    {
      file,
      own: new Set(),
      onChange: servers => {
        told.push(servers.join())
        onTold.resolve()
      },
      log: silentLog,
    },
    stop.signal,
  )
  await onTold.promise
  onTold = Promise.withResolvers()
  writeFileSync(`${file}.new`, 'nameserver 192.0.2.1\n')
  renameSync(`${file}.new`, file)
  await onTold.promise
  stop.abort()
  await following
  assert.deepEqual(told, ['', '192.0.2.1'])
})
