import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { silentLog } from '../../base/log.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { LogRotation } from './log-rotation.ts'
import { planRotation, type RotationPlan } from './plan-rotation.ts'

const plans: Record<string, [string[], RotationPlan]> = {
  'the first rotation has nothing to clear': [['0.log'], { remove: [], compress: [] }],
  'the one before is packed': [
    ['0.log', '0.log.20260101-000000'],
    { remove: [], compress: ['0.log.20260101-000000'] },
  ],
  'the oldest make room': [
    ['0.log', '0.log.3', '0.log.2.gz', '0.log.1.gz', '0.log.0.gz'],
    { remove: ['0.log.0.gz'], compress: ['0.log.3'] },
  ],
  'what was packed in part is packed again': [
    ['0.log', '0.log.1', '0.log.1.gz', '0.log.1.tmp'],
    { remove: ['0.log.1.tmp', '0.log.1.gz'], compress: ['0.log.1'] },
  ],
  'logs of other runs are left alone': [['0.log', '1.log', '1.log.1'], { remove: [], compress: [] }],
}

for (const [title, [files, expected]] of Object.entries(plans)) {
  test(title, () => assert.deepEqual(planRotation('0.log', files, 5), expected))
}

function make({ reopens = true } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'log-rotation-'))
  test.after(() => rmSync(dir, { recursive: true, force: true }))
  const logPath = join(dir, '0.log')
  const clock = new ManualClock(Date.parse('2026-01-02T03:04:05Z'))
  const rotation = new LogRotation({
    runtime: {
      reopenContainerLog: async () => {
        if (!reopens) throw new Error('gone')
        writeFileSync(logPath, '')
        return {}
      },
    },
    limits: { maxBytes: 10, maxFiles: 3, everyMs: 10_000 },
    containers: () => [
      { id: 'c', logPath },
      { id: 'silent', logPath: '' },
    ],
    clock,
    log: silentLog,
  })
  return { dir, logPath, clock, rotation }
}

test('a log beyond its size is rotated, older ones are packed, and no more than so many are kept', async () => {
  const { dir, logPath, clock, rotation } = make()
  for (const text of ['one', 'two', 'three', 'four']) {
    writeFileSync(logPath, `${text} is too long`)
    await rotation.look()
    await clock.advance(1_000)
  }
  appendFileSync(logPath, 'short')
  await rotation.look()
  assert.deepEqual(readdirSync(dir).sort(), ['0.log', '0.log.20260102-030407.gz', '0.log.20260102-030408'])
  assert.equal(
    gunzipSync(readFileSync(join(dir, '0.log.20260102-030407.gz'))).toString(),
    'three is too long',
  )
  assert.equal(readFileSync(logPath, 'utf8'), 'short')
})

test('a log that the runtime does not open anew keeps its name', async () => {
  const { dir, logPath, rotation } = make({ reopens: false })
  writeFileSync(logPath, 'this is too long')
  await rotation.look()
  assert.deepEqual(readdirSync(dir), ['0.log'])
})

test('logs are looked at again and again until the end', async () => {
  const { dir, logPath, clock, rotation } = make()
  writeFileSync(logPath, 'this is too long')
  const stop = new AbortController()
  const running = rotation.run(stop.signal)
  await clock.advance(9_999)
  assert.equal(readdirSync(dir).length, 1)
  await clock.advance(1)
  // The disk has a time of its own, longer when the machine is busy.
  for (let turn = 0; turn < 5_000 && readdirSync(dir).length < 2; turn++) await sleep(1)
  assert.equal(readdirSync(dir).length, 2)
  stop.abort()
  await running
})
