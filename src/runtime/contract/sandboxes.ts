import assert from 'node:assert/strict'
import { isCriNotFound } from '../cri/cri-error.ts'
import type { Suite } from './suite.ts'

export function sandboxTests({ check }: Suite): void {
  check('a sandbox is ready and comes back as it was asked for', async ({ id, config }, { service }) => {
    const { status } = await service.podSandboxStatus({ podSandboxId: id, verbose: false })
    assert.equal(status.id, id)
    assert.equal(status.state, 'SANDBOX_READY')
    assert.deepEqual(status.metadata, config.metadata)
    assert.deepEqual(status.labels, config.labels)
    assert.deepEqual(status.annotations, config.annotations)
    assert.equal(status.linux?.namespaces?.options?.network, 'NODE')
    assert.ok(status.createdAt > 0)
  })

  check('a stopped sandbox is not ready; stopping it again is fine', async ({ id }, { service }) => {
    await service.stopPodSandbox({ podSandboxId: id })
    await service.stopPodSandbox({ podSandboxId: id })
    const { status } = await service.podSandboxStatus({ podSandboxId: id, verbose: false })
    assert.equal(status.state, 'SANDBOX_NOTREADY')
  })

  check('stopping a sandbox ends its containers', async (pod, { service, settle }) => {
    const [runs, stubborn] = [await pod.start('runs'), await pod.start('stubborn', { onTerm: 'ignore' })]
    await settle(service.stopPodSandbox({ podSandboxId: pod.id }))
    for (const id of [runs, stubborn]) assert.equal((await pod.ended(id)).exitCode, 137)
  })

  check('removing a sandbox removes its containers; removing it again is fine', async (pod, { service }) => {
    const container = await pod.start('app')
    await service.stopPodSandbox({ podSandboxId: pod.id })
    await service.removePodSandbox({ podSandboxId: pod.id })
    await service.removePodSandbox({ podSandboxId: pod.id })
    await assert.rejects(service.podSandboxStatus({ podSandboxId: pod.id, verbose: false }), isCriNotFound)
    await assert.rejects(service.containerStatus({ containerId: container, verbose: false }), isCriNotFound)
  })

  check('sandboxes and containers are there after the runtime was killed', async (pod, world) => {
    const running = await pod.startReady('running')
    const created = await pod.create('created')
    const exited = await pod.start('exited', { exitAfterMs: 0, exitCode: 3 })
    const before = await pod.ended(exited)
    await world.restart()
    const { service } = world
    const { items } = await service.listPodSandbox({ filter: { id: pod.id } })
    assert.deepEqual(
      items.map(({ id, state }) => [id, state]),
      [[pod.id, 'SANDBOX_READY']],
    )
    const states = await Promise.all([running, created, exited].map(async id => (await pod.status(id)).state))
    assert.deepEqual(states, ['CONTAINER_RUNNING', 'CONTAINER_CREATED', 'CONTAINER_EXITED'])
    const after = await pod.status(exited)
    assert.deepEqual([after.exitCode, after.finishedAt], [3, before.finishedAt])
    await service.startContainer({ containerId: created })
    assert.equal((await pod.status(created)).state, 'CONTAINER_RUNNING')
    assert.equal((await pod.stop(running)).exitCode, 143)
  })

  check('an end while nobody watches is known afterwards', async (pod, world) => {
    const id = await pod.start('short', { exitAfterMs: 300, exitCode: 4 })
    await world.restart()
    assert.equal((await pod.ended(id)).exitCode, 4)
  })
}
