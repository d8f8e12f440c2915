import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { container, KubeletWorld } from '../testing/kubelet-world.fixture.ts'

async function inWorld(work: (world: KubeletWorld) => Promise<void>): Promise<void> {
  const world = await KubeletWorld.create()
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

const exec = (word: string, more: object = {}) => ({ exec: { command: [word] }, ...more })
const app = ({ status }: Pod) => status.containerStatuses?.[0]
const isReady = ({ status }: Pod) =>
  status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
const runs = (pod: Pod) => app(pod)?.state.running !== undefined

test('a pod is ready as soon as its readiness probe succeeds, without any time passing', () =>
  inWorld(async world => {
    await world.createPod('quick', { containers: [container('app', { readinessProbe: exec('ready') })] })
    await world.until('quick', isReady)
    assert.deepEqual(
      [...new Set(world.seen.filter(runs).map(isReady))],
      [false, true],
      'it was running before it was ready',
    )
  }))

test('a probe waits out its initial delay, however often the pod is looked at meanwhile', () =>
  inWorld(async world => {
    const readinessProbe = exec('ready', { initialDelaySeconds: 4 })
    await world.createPod('slow', { containers: [container('app', { readinessProbe })] })
    await world.until('slow', runs)
    for (let second = 1; second < 4; second++) {
      await world.client.patch(pods, { namespace: 'default', name: 'slow' }, 'application/merge-patch+json', {
        metadata: { labels: { look: String(second) } },
      })
      await world.clock.advance(1_000)
      assert.equal(isReady(await world.pod('slow')), false, `after ${second} s`)
    }
    assert.equal(world.cri.calls.includes('execSync app ready'), false)
    await world.clock.advance(1_000)
    await world.until('slow', isReady)
  }))

test('a readiness probe that fails takes the pod out, and one that succeeds takes it in again', () =>
  inWorld(async world => {
    let code = 0
    world.cri.commands.set('ready', () => code)
    const readinessProbe = exec('ready', { periodSeconds: 5, failureThreshold: 2 })
    await world.createPod('unsteady', { containers: [container('app', { readinessProbe })] })
    await world.until('unsteady', isReady)
    code = 1
    await world.clock.advance(5_000)
    assert.equal(isReady(await world.pod('unsteady')), true, 'one failure is not enough')
    await world.clock.advance(5_000)
    await world.until('unsteady', pod => !isReady(pod))
    assert.ok((await world.eventsOf('unsteady')).includes('Unhealthy: Readiness probe failed: '))
    code = 0
    await world.clock.advance(5_000)
    await world.until('unsteady', isReady)
    assert.equal(app(await world.pod('unsteady'))!.restartCount, 0)
  }))

test('a failed liveness probe restarts the container, with its own grace', () =>
  inWorld(async world => {
    let code = 1
    world.cri.commands.set('alive', () => code)
    const livenessProbe = exec('alive', { periodSeconds: 10, terminationGracePeriodSeconds: 7 })
    await world.createPod('sick', { containers: [container('app', { livenessProbe })] })
    await world.until('sick', runs)
    await world.clock.advance(20_900)
    assert.equal(world.cri.named('app')!.status.metadata.attempt, 0)
    await world.clock.advance(100)
    await world.until('sick', pod => app(pod)?.restartCount === 1 && runs(pod))
    code = 0
    assert.ok(world.cri.calls.includes('stopContainer app 7'))
    const events = await world.eventsOf('sick')
    assert.equal(events.filter(event => event === 'Unhealthy: Liveness probe failed: ').length, 1)
    assert.ok(events.includes('Killing: Container app failed liveness probe, will be restarted'))
    await world.clock.advance(60_000)
    assert.equal(app(await world.pod('sick'))!.restartCount, 1, 'the new container is healthy')
  }))

test('liveness and readiness wait for startup, which may take its threshold times its period', () =>
  inWorld(async world => {
    let started = 1
    world.cri.commands.set('started', () => started)
    const probes = {
      startupProbe: exec('started', { periodSeconds: 10, failureThreshold: 3 }),
      livenessProbe: exec('alive', { periodSeconds: 1 }),
      readinessProbe: exec('ready', { periodSeconds: 1 }),
    }
    await world.createPod('slow', { containers: [container('app', probes)] })
    await world.until('slow', runs)
    await world.clock.advance(29_000)
    assert.equal(app(await world.pod('slow'))!.started, false)
    assert.deepEqual(
      world.cri.calls.filter(call => /alive|ready/.test(call)),
      [],
    )
    await world.clock.advance(1_000)
    await world.until('slow', pod => app(pod)?.restartCount === 1)
    assert.ok(
      (await world.eventsOf('slow')).includes(
        'Killing: Container app failed startup probe, will be restarted',
      ),
    )
    started = 0
    await world.clock.advance(10_000)
    await world.until('slow', pod => isReady(pod) && app(pod)?.started === true)
  }))

test('a sidecar’s startup probe holds back what follows it', () =>
  inWorld(async world => {
    let started = 1
    world.cri.commands.set('started', () => started)
    const startupProbe = exec('started', { periodSeconds: 2 })
    const side = container('side', { restartPolicy: 'Always', startupProbe })
    await world.createPod('gated', { initContainers: [side], containers: [container('app')] })
    await world.untilTrue('the sidecar runs', () => world.cri.running().includes('side'))
    await world.clock.advance(2_000)
    assert.deepEqual(world.cri.running(), ['side'])
    started = 0
    await world.clock.advance(2_000)
    await world.until('gated', isReady)
  }))

test('during termination liveness ends and readiness goes on', () =>
  inWorld(async world => {
    let ready = 0
    world.cri.commands.set('ready', () => ready)
    world.cri.commands.set('alive', () => ready)
    world.cri.stopMs.set('app', 20_000)
    const probes = {
      livenessProbe: exec('alive', { periodSeconds: 1, failureThreshold: 1 }),
      readinessProbe: exec('ready', { periodSeconds: 1, failureThreshold: 1 }),
    }
    await world.createPod('leaving', { containers: [container('app', probes)] })
    await world.until('leaving', isReady)
    await world.client.delete(pods, { namespace: 'default', name: 'leaving' })
    await world.untilTrue('it is being stopped', () => world.cri.calls.includes('stopContainer app 30'))
    const before = world.cri.calls.length
    ready = 1
    await world.clock.advance(2_000)
    await world.until('leaving', pod => !isReady(pod))
    const probed = world.cri.calls.slice(before).filter(call => call.startsWith('execSync'))
    assert.ok(probed.length > 0 && probed.every(call => call === 'execSync app ready'))
    await world.clock.advance(20_000)
    await world.untilTrue('it is gone', () => world.cri.containers.size === 0)
  }))

test('a restarted kubelet keeps what the API says until its own probes know better', () =>
  inWorld(async world => {
    let ready = 0
    world.cri.commands.set('ready', () => ready)
    const readinessProbe = exec('ready', { periodSeconds: 10, failureThreshold: 1 })
    await world.createPod('kept', { containers: [container('app', { readinessProbe })] })
    await world.until('kept', isReady)
    await world.stopKubelet()
    ready = 1
    await world.clock.advance(1_000)
    world.startKubelet()
    const before = world.seen.length
    await world.clock.advance(4_900)
    assert.ok(world.seen.slice(before).every(isReady))
    await world.clock.advance(10_000)
    await world.until('kept', pod => !isReady(pod))
  }))
