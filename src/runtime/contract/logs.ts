import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { pause } from './contract-world.ts'
import type { Suite } from './suite.ts'

/**
 * CRI log format: RFC 3339 time with nanoseconds, stream, F for a full line. Runtimes differ in a blank after it, and
 * some (containerd) leave out the zeros that a fraction ends with, so one time in ten is shorter.
 */
const FULL_LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d) stdout F(?: (.*))?$/

export function logTests({ check }: Suite): void {
  check('what a container prints is in its log, in the format of the CRI', async pod => {
    const prints = ['one', 'two  words', '', 'four']
    const id = await pod.start('app', { prints, exitAfterMs: 0 })
    const { logPath } = await pod.ended(id)
    const written = () => readFileSync(logPath, 'utf8').trimEnd().split('\n')
    // containerd tells of an end while it still copies the last lines.
    for (let tries = 0; tries < 100 && written().length < prints.length; tries++) await pause()
    const lines = written()
    assert.deepEqual(
      lines.map(line => FULL_LINE.test(line) && (FULL_LINE.exec(line)![2] ?? '')),
      prints,
    )
  })

  check('a log outlives its container', async (pod, { service }) => {
    const id = await pod.start('app', { prints: ['kept'], exitAfterMs: 0 })
    const { logPath } = await pod.ended(id)
    await service.removeContainer({ containerId: id })
    assert.match(readFileSync(logPath, 'utf8'), /kept/)
  })

  check('a log that was moved away is opened anew', async (pod, { service }) => {
    const id = await pod.start('app', { prints: ['before'] })
    const { logPath } = await pod.status(id)
    renameSync(logPath, `${logPath}.1`)
    await service.reopenContainerLog({ containerId: id })
    for (let tries = 0; tries < 100 && !existsSync(logPath); tries++) await pause()
    assert.ok(existsSync(logPath))
  })

  check('the log of a container that has ended cannot be opened anew', async (pod, { service }) => {
    const id = await pod.start('app', { exitAfterMs: 0 })
    await pod.ended(id)
    await assert.rejects(service.reopenContainerLog({ containerId: id }), /not running/)
  })
}
