import assert from 'node:assert/strict'
import { isCriNotFound } from '../cri/cri-error.ts'
import type { Suite } from './suite.ts'

export function containerLifeTests(suite: Suite): void {
  lives(suite)
  removals(suite)
}

function lives({ check }: Suite): void {
  check('a container is created, runs and ends', async pod => {
    const id = await pod.create('app', { exitAfterMs: 200 })
    const created = await pod.status(id)
    assert.equal(created.state, 'CONTAINER_CREATED')
    assert.deepEqual([created.startedAt, created.finishedAt], [0, 0])
    await pod.world.service.startContainer({ containerId: id })
    const running = await pod.status(id)
    assert.equal(running.state, 'CONTAINER_RUNNING')
    assert.ok(running.startedAt >= created.createdAt)
    assert.equal(running.finishedAt, 0)
    const ended = await pod.ended(id)
    assert.deepEqual([ended.exitCode, ended.reason], [0, 'Completed'])
    assert.ok(ended.finishedAt >= ended.startedAt)
    assert.equal(ended.startedAt, running.startedAt)
  })

  check('a container comes back as it was asked for', async pod => {
    const config = pod.containerConfig('app', {})
    const id = await pod.create('app')
    const status = await pod.status(id)
    assert.equal(status.id, id)
    assert.deepEqual(status.metadata, config.metadata)
    assert.deepEqual(status.labels, config.labels)
    assert.deepEqual(status.annotations, config.annotations)
    assert.equal(status.logPath, `${pod.config.logDirectory}/app/0.log`)
    assert.notEqual(status.imageRef, '')
  })

  for (const exitCode of [1, 2, 42, 255]) {
    check(`exit code ${exitCode} is told`, async pod => {
      const ended = await pod.ended(await pod.start('app', { exitAfterMs: 0, exitCode }))
      assert.deepEqual([ended.exitCode, ended.reason], [exitCode, 'Error'])
    })
  }

  check('containers of one pod end each for itself', async pod => {
    const ids = [0, 5, 6].map(exitCode =>
      pod.start(`app-${exitCode}`, { exitAfterMs: 20 * exitCode, exitCode }),
    )
    const ended = await Promise.all((await Promise.all(ids)).map(id => pod.ended(id)))
    assert.deepEqual(
      ended.map(({ exitCode }) => exitCode),
      [0, 5, 6],
    )
  })

  check('a container that has ended is made again under the next attempt', async (pod, { service }) => {
    await pod.ended(await pod.start('app', { exitAfterMs: 0, exitCode: 1 }))
    const second = await pod.start('app', {}, { metadata: { name: 'app', attempt: 1 }, logPath: 'app/1.log' })
    const { containers } = await service.listContainers({ filter: { podSandboxId: pod.id } })
    const attempts = containers.map(({ metadata }) => metadata.attempt ?? 0).sort()
    assert.deepEqual(attempts, [0, 1])
    assert.equal((await pod.status(second)).state, 'CONTAINER_RUNNING')
  })
}

function removals({ check }: Suite): void {
  check('removing a running container ends it; removing it again is fine', async (pod, { service }) => {
    const id = await pod.start('app', { onTerm: 'ignore' })
    await service.removeContainer({ containerId: id })
    await service.removeContainer({ containerId: id })
    await assert.rejects(service.containerStatus({ containerId: id, verbose: false }), isCriNotFound)
    const { containers } = await service.listContainers({ filter: { podSandboxId: pod.id } })
    assert.deepEqual(containers, [])
  })

  check('a container that was never started is removed', async (pod, { service }) => {
    const id = await pod.create('app')
    await service.removeContainer({ containerId: id })
    await assert.rejects(service.containerStatus({ containerId: id, verbose: false }), isCriNotFound)
  })

  check('a name is free again after removal', async (pod, { service }) => {
    await service.removeContainer({ containerId: await pod.create('app') })
    const id = await pod.start('app')
    assert.equal((await pod.status(id)).state, 'CONTAINER_RUNNING')
  })
}
