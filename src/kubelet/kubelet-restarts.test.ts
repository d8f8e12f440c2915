// What starts containers again: another image, a rule, a crash, a sandbox that is gone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods } from '../api/resources.ts'
import { inWorld, status } from './testing/in-world.fixture.ts'
import { container, KubeletWorld } from './testing/kubelet-world.fixture.ts'

test('a changed image replaces the container at once', () =>
  inWorld(async world => {
    await world.createPod('edited', {})
    await world.until('edited', pod => pod.status.phase === 'Running')
    const patch = { spec: { containers: [{ name: 'app', image: 'example/app:2' }] } }
    await world.client.patch(
      pods,
      { namespace: 'default', name: 'edited' },
      'application/strategic-merge-patch+json',
      patch,
    )
    const pod = await world.until(
      'edited',
      one => status(one, 'app')?.restartCount === 1 && !!status(one, 'app')?.state.running,
    )
    assert.equal(status(pod, 'app')?.image, 'example/app:2')
    await world.untilTrue('the event is written', async () =>
      (await world.eventsOf('edited')).includes(
        'Killing: Container app definition changed, will be restarted',
      ),
    )
  }))

test('an exit that asks for it restarts all containers in the same sandbox', () =>
  inWorld(async world => {
    world.cri.behaviours.set('setup', () => 0)
    const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } }
    await world.createPod('anew', {
      initContainers: [container('setup')],
      containers: [
        container('app', { restartPolicy: 'Never', restartPolicyRules: [rule] }),
        container('other'),
      ],
    })
    const before = await world.until('anew', pod => pod.status.phase === 'Running')
    world.cri.exit('app', 88)
    const after = await world.until(
      'anew',
      pod =>
        status(pod, 'app')?.restartCount === 1 &&
        !!status(pod, 'app')?.state.running &&
        !!status(pod, 'other')?.state.running,
    )
    assert.equal(after.status.podIP, before.status.podIP)
    assert.equal(status(after, 'other')?.restartCount, 1)
    assert.equal(status(after, 'setup')?.restartCount, 1)
    assert.ok(
      world.seen.some(({ status: { conditions } }) =>
        conditions?.some(
          ({ type, status: is, reason }) =>
            type === 'AllContainersRestarting' && is === 'True' && reason === 'RestartAllContainersStarted',
        ),
      ),
    )
    assert.equal(world.cri.sandboxes.size, 1)
  }))

test('the cap on restarts of the KubeletConfiguration holds', async () => {
  const configuration = { crashLoopBackOff: { maxContainerRestartPeriod: '3s' } }
  const world = await KubeletWorld.create({ configuration })
  try {
    world.cri.behaviours.set('app', () => 1)
    await world.createPod('crashing', {})
    const held = await world.until(
      'crashing',
      pod => status(pod, 'app')?.state.waiting?.reason === 'CrashLoopBackOff',
    )
    assert.match(
      status(held, 'app')!.state.waiting!.message!,
      /^back-off 3s restarting failed container=app pod=crashing_/,
    )
    await world.clock.advance(3_000)
    await world.until('crashing', pod => status(pod, 'app')?.restartCount === 2)
  } finally {
    await world.close()
  }
})

test('a sandbox that somebody stops is replaced at once, and everything runs again in order', () =>
  inWorld(async world => {
    world.cri.behaviours.set('setup', () => 0)
    const inits = [container('setup'), container('side', { restartPolicy: 'Always' })]
    await world.createPod('lost', { initContainers: inits })
    await world.until('lost', pod => !!status(pod, 'app')?.ready)
    const [sandbox] = [...world.cri.sandboxes.keys()]
    await world.cri.service.stopPodSandbox({ podSandboxId: sandbox! })
    const pod = await world.until(
      'lost',
      one => status(one, 'app')?.restartCount === 1 && !!status(one, 'app')?.ready,
    )
    assert.equal(status(pod, 'setup')?.restartCount, 1)
    assert.ok(
      (await world.eventsOf('lost')).includes(
        'SandboxChanged: Pod sandbox changed, it will be killed and re-created.',
      ),
    )
  }))

test('a sandbox that went unnoticed is found out when nothing can be created in it', () =>
  inWorld(async world => {
    world.cri.behaviours.set('app', attempt => (attempt === 0 ? 1 : undefined))
    await world.createPod('silent', {})
    await world.untilTrue('it runs', () => world.cri.calls.includes('startContainer app'))
    await world.until('silent', pod => !!status(pod, 'app')?.state.running)
    for (const { status: one } of world.cri.sandboxes.values()) one.state = 'SANDBOX_NOTREADY'
    world.cri.exit('app', 1)
    await world.untilTrue('another sandbox is made', async () => {
      await world.clock.advance(1_000)
      return world.cri.calls.filter(call => call === 'runPodSandbox silent').length === 2
    })
  }))
