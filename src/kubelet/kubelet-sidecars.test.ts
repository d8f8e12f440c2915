// Sidecars, of today's form and of the old one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inWorld, status } from './testing/in-world.fixture.ts'
import { container } from './testing/kubelet-world.fixture.ts'

test('a sidecar starts in its turn and keeps running beside later containers', () =>
  inWorld(async world => {
    world.cri.behaviours.set('setup', () => 0)
    const inits = [container('proxy', { restartPolicy: 'Always' }), container('setup')]
    await world.createPod('meshed', { initContainers: inits })
    const pod = await world.until(
      'meshed',
      one =>
        one.status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    )
    assert.equal(status(pod, 'proxy')?.ready, true)
    assert.deepEqual(world.cri.running().sort(), ['app', 'proxy'])
    world.cri.exit('proxy', 1)
    const again = await world.until(
      'meshed',
      one => status(one, 'proxy')?.restartCount === 1 && !!status(one, 'proxy')?.state.running,
    )
    assert.equal(again.status.phase, 'Running')
    assert.equal(status(again, 'app')?.restartCount, 0)
  }))

test('a sidecar of the old form starts first, ends with the others, and does not keep the pod', () =>
  inWorld(async world => {
    world.cri.commands.set('ready', () => 1)
    const readinessProbe = { exec: { command: ['ready'] }, periodSeconds: 1 }
    const proxy = container('proxy', { lifecycle: { type: 'Sidecar' }, readinessProbe })
    await world.createPod('served', { restartPolicy: 'Never', containers: [container('app'), proxy] })
    await world.untilTrue('it is probed', () => world.cri.calls.includes('execSync proxy ready'))
    const waiting = await world.pod('served')
    assert.equal(waiting.status.phase, 'Pending')
    assert.equal(status(waiting, 'app')?.state.waiting?.reason, 'PodInitializing')
    assert.deepEqual(world.cri.running(), ['proxy'])
    world.cri.commands.set('ready', () => 0)
    await world.clock.advance(1_000)
    await world.until('served', pod => pod.status.phase === 'Running')
    assert.deepEqual(world.cri.running(), ['proxy', 'app'])
    world.cri.exit('app', 0)
    const pod = await world.until('served', one => one.status.phase === 'Succeeded')
    assert.equal(status(pod, 'proxy')?.state.terminated?.exitCode, 143)
    assert.deepEqual(world.cri.running(), [])
  }))
