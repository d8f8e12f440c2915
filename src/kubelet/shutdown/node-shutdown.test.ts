import assert from 'node:assert/strict'
import { test } from 'node:test'
import { events, nodes } from '../../api/resources.ts'
import { container, KubeletWorld } from '../testing/kubelet-world.fixture.ts'

const never = new AbortController().signal

async function inWorld(work: (world: KubeletWorld) => Promise<void>, configuration = {}): Promise<void> {
  const world = await KubeletWorld.create({ configuration })
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

const running = (world: KubeletWorld, name: string, spec = {}) =>
  world.createPod(name, spec).then(() => world.until(name, pod => pod.status.phase === 'Running'))

/** A new kubelet, as after the machine has come up again. */
async function comeUp(world: KubeletWorld): Promise<void> {
  await world.stopKubelet()
  world.startKubelet()
}

test('pods are stopped with their hooks and in their order, and run again after the next start', () =>
  inWorld(async world => {
    const preStop = { exec: { command: ['bye'] } }
    await running(world, 'web', {
      initContainers: [container('side', { restartPolicy: 'Always' })],
      containers: [container('app', { lifecycle: { preStop } })],
    })
    await world.kubelet.shutDown(10_000, never)
    assert.deepEqual(
      world.cri.calls.filter(call => /^(execSync|stop)/.test(call)),
      ['execSync app bye', 'stopContainer app 10', 'stopContainer side 10', 'stopPodSandbox web'],
    )
    const stopped = await world.pod('web')
    assert.equal(stopped.status.phase, 'Running')
    assert.equal(stopped.status.containerStatuses?.[0]?.state.terminated?.exitCode, 143)
    await comeUp(world)
    const again = await world.until(
      'web',
      pod => pod.status.containerStatuses?.[0]?.restartCount === 1 && pod.status.containerStatuses[0].ready,
    )
    assert.equal(again.status.containerStatuses?.[0]?.lastState.terminated?.exitCode, 143)
  }))

test('a pod that never restarts has ended, as its containers did', () =>
  inWorld(async world => {
    await running(world, 'once', { restartPolicy: 'Never' })
    await world.kubelet.shutDown(10_000, never)
    assert.equal((await world.pod('once')).status.phase, 'Running')
    await comeUp(world)
    const pod = await world.until('once', one => one.status.phase === 'Failed')
    assert.equal(pod.status.containerStatuses?.[0]?.state.terminated?.exitCode, 143)
    assert.equal(world.cri.calls.filter(call => call === 'startContainer app').length, 1)
  }))

test('what does not heed its signal is killed when the time is over', () =>
  inWorld(async world => {
    world.cri.programs.set('app', { onStopSignal: 'ignore' })
    await running(world, 'deaf')
    const down = world.kubelet.shutDown(5_000, never)
    await world.untilTrue('it is asked to stop', () => world.cri.calls.includes('stopContainer app 5'))
    await world.clock.advance(5_000)
    await down
    assert.deepEqual(world.cri.running(), [])
  }))

test('whoever is in a hurry does not wait', () =>
  inWorld(async world => {
    world.cri.programs.set('app', { onStopSignal: 'ignore' })
    await running(world, 'deaf')
    const hurry = new AbortController()
    const down = world.kubelet.shutDown(60_000, hurry.signal)
    await world.untilTrue('it is asked to stop', () => world.cri.calls.includes('stopContainer app 30'))
    hurry.abort()
    await down
    assert.deepEqual(world.cri.running(), ['app'])
  }))

test('while the node goes down no pod starts', () =>
  inWorld(async world => {
    await running(world, 'first')
    await world.kubelet.shutDown(10_000, never)
    await world.createPod('late', {})
    await comeUp(world)
    await world.until('late', pod => pod.status.phase === 'Running')
    assert.equal(world.cri.calls.filter(call => call === 'runPodSandbox late').length, 1)
  }))

test('with a shutdownGracePeriod pods end for good, critical ones last, and new ones are refused', () =>
  inWorld(
    async world => {
      await running(world, 'plain')
      await running(world, 'critical', { containers: [container('vital')], priority: 2_000_000_000 })
      await world.kubelet.shutDown(60_000, never)
      assert.deepEqual(
        world.cri.calls.filter(call => call.startsWith('stopContainer')),
        ['stopContainer app 20', 'stopContainer vital 10'],
      )
      const { status } = await world.until('plain', pod => pod.status.phase === 'Failed')
      assert.equal(status.reason, 'Terminated')
      assert.equal(status.message, 'Pod was terminated in response to imminent node shutdown.')
      const disruption = status.conditions?.find(({ type }) => type === 'DisruptionTarget')
      assert.deepEqual([disruption?.status, disruption?.reason], ['True', 'TerminationByKubelet'])
      await world.createPod('late', {})
      const late = await world.until('late', pod => pod.status.phase === 'Failed')
      assert.equal(late.status.reason, 'NodeShutdown')
      assert.equal(late.status.message, 'Pod was rejected: Pod was rejected as the node is shutting down.')
      await world.untilTrue('the node says why it is not ready', async () => {
        const { conditions } = (await world.client.get(nodes, { name: 'node-1' })).status
        return conditions!.some(one => one.type === 'Ready' && one.message === 'node is shutting down')
      })
      const { items } = await world.client.list(events)
      assert.ok(
        items.some(
          ({ reason, message }) =>
            `${reason} ${message}` === 'Shutdown Shutdown manager detected shutdown event',
        ),
      )
    },
    { shutdownGracePeriod: '30s', shutdownGracePeriodCriticalPods: '10s' },
  ))
