import assert from 'node:assert/strict'
import type { Suite } from './suite.ts'

export function stopTests({ check, lacks }: Suite): void {
  check('a container that obeys ends with its signal', async pod => {
    const status = await pod.stop(await pod.startReady('app'))
    assert.deepEqual([status.state, status.exitCode, status.reason], ['CONTAINER_EXITED', 143, 'Error'])
  })

  check('a container that tidies up ends with its own code', async pod => {
    const status = await pod.stop(await pod.startReady('app', { onTerm: { exitCode: 7 } }))
    assert.equal(status.exitCode, 7)
  })

  check('a container that tidies up well ends as completed', async pod => {
    const status = await pod.stop(await pod.startReady('app', { onTerm: { exitCode: 0 } }))
    assert.deepEqual([status.exitCode, status.reason], [0, 'Completed'])
  })

  check('a container that does not obey is killed when its grace is over', async pod => {
    const id = await pod.startReady('app', { onTerm: 'ignore' })
    const status = await pod.stop(id)
    assert.equal(status.exitCode, 137)
    const ranMs = (status.finishedAt - status.startedAt) / 1e6
    // The end is told as precisely as the file system tells times.
    assert.ok(ranMs >= pod.world.graceSeconds * 1000 - 20, `it ran only ${ranMs} ms`)
  })

  check('no grace kills at once', async pod => {
    const status = await pod.stop(await pod.startReady('app', { onTerm: { exitCode: 0 } }), 0)
    assert.equal(status.exitCode, 137)
  })

  check('stopping a container that has ended changes nothing', async pod => {
    const id = await pod.start('app', { exitAfterMs: 0, exitCode: 3 })
    const before = await pod.ended(id)
    const after = await pod.stop(id)
    assert.deepEqual([after.exitCode, after.finishedAt], [before.exitCode, before.finishedAt])
  })

  check('two stops at once both return when the container has ended', async pod => {
    const id = await pod.startReady('app', { onTerm: 'ignore' })
    const [first, second] = await Promise.all([pod.stop(id), pod.stop(id, 0)])
    assert.deepEqual([first.exitCode, second.exitCode], [137, 137])
  })

  if (lacks('stopSignal')) return
  check('a stop signal of its own is used', async pod => {
    const id = await pod.startReady('app', {}, { stopSignal: 'SIGUSR1' })
    assert.equal((await pod.status(id)).stopSignal, 'SIGUSR1')
    const status = await pod.stop(id)
    assert.equal(status.exitCode, 128 + 10)
  })

  check('without one the stop signal is SIGTERM', async pod => {
    assert.equal((await pod.status(await pod.create('app'))).stopSignal, 'SIGTERM')
  })
}
