import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { PlainError } from '../../../base/plain-error.ts'
import { pauseProgram } from './pause-program.ts'

test('the program sleeps, and ignores the ends of its children', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-pause-'))
  const file = join(folder, 'pause')
  writeFileSync(file, pauseProgram(), { mode: 0o755 })
  const child = spawn(file, { stdio: 'ignore' })
  try {
    await once(child, 'spawn')
    const status = () => readFileSync(`/proc/${child.pid}/status`, 'utf8')
    for (let tries = 0; tries < 100 && !/^SigIgn:\t\w*[13579bdf]\w{4}$/m.test(status()); tries++)
      await sleep(10)
    assert.match(status(), /^SigIgn:\t\w*[13579bdf]\w{4}$/m)
    assert.match(status(), /^State:\tS/m)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
    rmSync(folder, { recursive: true })
  }
})

test('for another processor it is another program', () => {
  assert.equal(pauseProgram('arm64').readUInt16LE(18), 183)
  assert.throws(() => pauseProgram('mips'), PlainError)
})
