import assert from 'node:assert/strict'
import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { diskUsage } from './disk-usage.ts'

const MI = 2 ** 20

test('a directory takes what its files take, those with several names once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'disk-usage-'))
  try {
    const empty = await diskUsage(dir)
    writeFileSync(join(dir, 'a'), Buffer.alloc(MI, 1))
    linkSync(join(dir, 'a'), join(dir, 'b'))
    const used = (await diskUsage(dir)) - empty
    assert.ok(used >= MI && used < MI + 65_536, String(used))
    assert.equal(await diskUsage(join(dir, 'missing')), 0)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
