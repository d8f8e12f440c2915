// The maps of Services in a real kernel: what many changes come to is what is made at once.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

for (const seed of [1, 2, 3]) {
  test(`after many changes the kernel holds what it would hold at once, and a restart keeps it (seed ${seed})`, () => {
    const program = join(import.meta.dirname, 'service-rules.fixture.ts')
    const args = ['-n', process.execPath, program, String(seed)]
    const output = execFileSync('unshare', args, { encoding: 'utf8' })
    const { count, changed, scratch, takenOver } = JSON.parse(output)
    assert.ok(count > 10, `only ${count} elements were compared`)
    assert.deepEqual(changed, scratch)
    assert.deepEqual(takenOver, scratch)
  })
}
