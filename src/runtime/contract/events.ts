import assert from 'node:assert/strict'
import { EventCollector } from './contract-world.ts'
import type { Suite } from './suite.ts'

const WHOLE_LIFE = ['CREATED', 'STARTED', 'STOPPED', 'DELETED']

export function eventTests({ check, lacks }: Suite): void {
  if (lacks('events')) return
  check('events tell of a container in the order of its life', async (pod, world) => {
    await using collector = new EventCollector(world)
    // The stream is there when the first event arrives: containers before it may be missed.
    for (let n = 0; collector.events.length === 0; n++)
      await world.settle(pod.ended(await pod.start(`warm-up-${n}`, { exitAfterMs: 0 })))
    const id = await pod.start('app', { exitAfterMs: 0, exitCode: 3 })
    await collector.until(() => collector.typesOf(id).includes('STOPPED'))
    await world.service.removeContainer({ containerId: id })
    await collector.until(() => collector.typesOf(id).includes('DELETED'))
    assert.deepEqual(collector.typesOf(id), WHOLE_LIFE)
    const times = collector.events.map(({ createdAt }) => createdAt)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
  })

  check('an event tells when a sandbox stands, and all that is to know of it', async (pod, world) => {
    await using collector = new EventCollector(world)
    for (let n = 0; collector.events.length === 0; n++)
      await world.settle(pod.ended(await pod.start(`warm-up-${n}`, { exitAfterMs: 0 })))
    const metadata = { ...pod.config.metadata, name: 'second', uid: 'second' }
    const config = { ...pod.config, metadata, labels: { ...pod.config.labels } }
    const { podSandboxId } = await world.service.runPodSandbox({ config, runtimeHandler: '' })
    try {
      await collector.until(() => collector.typesOf(podSandboxId).includes('STARTED'))
      const { podSandboxStatus } = collector.events.findLast(
        ({ containerId }) => containerId === podSandboxId,
      )!
      assert.equal(podSandboxStatus?.state, 'SANDBOX_READY')
      const asked = await world.service.podSandboxStatus({ podSandboxId, verbose: false })
      assert.deepEqual(podSandboxStatus, asked.status)
    } finally {
      await world.service.removePodSandbox({ podSandboxId })
    }
  })

  check('an event tells when a sandbox is stopped', async (pod, world) => {
    await using collector = new EventCollector(world)
    for (let n = 0; collector.events.length === 0; n++)
      await world.settle(pod.ended(await pod.start(`warm-up-${n}`, { exitAfterMs: 0 })))
    await world.settle(world.service.stopPodSandbox({ podSandboxId: pod.id }))
    await collector.until(() => collector.typesOf(pod.id).includes('STOPPED'))
    const event = collector.events.findLast(({ containerId }) => containerId === pod.id)!
    assert.equal(event.podSandboxStatus?.state, 'SANDBOX_NOTREADY')
  })

  check('an event carries the pod and all its containers as they are', async (pod, world) => {
    await using collector = new EventCollector(world)
    for (let n = 0; collector.events.length === 0; n++)
      await world.settle(pod.ended(await pod.start(`warm-up-${n}`, { exitAfterMs: 0 })))
    const other = await pod.start('other')
    const id = await pod.start('app', { exitAfterMs: 0, exitCode: 3 })
    await collector.until(() => collector.typesOf(id).includes('STOPPED'))
    const event = collector.events.findLast(({ containerId }) => containerId === id)!
    assert.equal(event.podSandboxStatus?.id, pod.id)
    assert.equal(event.podSandboxStatus?.metadata.name, pod.config.metadata.name)
    const states = new Map(event.containersStatuses.map(status => [status.id, status]))
    assert.equal(states.get(other)?.state, 'CONTAINER_RUNNING')
    assert.deepEqual([states.get(id)?.state, states.get(id)?.exitCode], ['CONTAINER_EXITED', 3])
  })
}
