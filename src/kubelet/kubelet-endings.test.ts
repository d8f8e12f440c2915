// How containers end: by a hook that fails, with a hook, within a grace, with a runtime that cannot.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods } from '../api/resources.ts'
import { inWorld, status } from './testing/in-world.fixture.ts'
import { container } from './testing/kubelet-world.fixture.ts'

test('a postStart hook that fails stops the container and shows why', () =>
  inWorld(async world => {
    const lifecycle = { postStart: { exec: { command: ['/bin/false'] } } }
    await world.createPod('hooked', { containers: [container('app', { lifecycle })] })
    await world.untilTrue('the failure was shown', () =>
      world.seen.some(pod => status(pod, 'app')?.state.waiting?.reason === 'PostStartHookError'),
    )
    const shown = world.seen.find(pod => status(pod, 'app')?.state.waiting?.reason === 'PostStartHookError')!
    assert.match(
      status(shown, 'app')!.state.waiting!.message!,
      /^Exec lifecycle hook \(\[\/bin\/false\]\) for Container "app" in Pod "hooked_default\(.*\)" failed - error: command '\/bin\/false' exited with 1: , message: ""$/,
    )
    assert.ok((await world.eventsOf('hooked')).includes('FailedPostStartHook: PostStartHook failed'))
  }))

test('a preStop hook runs before its container is stopped', () =>
  inWorld(async world => {
    const lifecycle = { preStop: { exec: { command: ['bye'] } } }
    await world.createPod('polite', { containers: [container('app', { lifecycle })] })
    await world.until('polite', pod => pod.status.phase === 'Running')
    await world.client.delete(pods, { namespace: 'default', name: 'polite' })
    await world.untilTrue('it is gone', () => world.cri.containers.size === 0)
    assert.deepEqual(
      world.cri.calls.filter(call => /^(execSync|stopContainer)/.test(call)),
      ['execSync app bye', 'stopContainer app 30'],
    )
  }))

test('deleting again with a shorter grace shortens the wait', () =>
  inWorld(async world => {
    world.cri.stopMs.set('app', 60_000)
    await world.createPod('stubborn', { terminationGracePeriodSeconds: 60 })
    await world.until('stubborn', pod => pod.status.phase === 'Running')
    await world.client.delete(pods, { namespace: 'default', name: 'stubborn' })
    await world.untilTrue('it is being stopped', () => world.cri.calls.includes('stopContainer app 60'))
    await world.client.delete(pods, { namespace: 'default', name: 'stubborn' }, { gracePeriodSeconds: 5 })
    await world.untilTrue('the runtime is told', () => world.cri.calls.includes('stopContainer app 5'))
    await world.clock.advance(5_000)
    await world.untilTrue('it is gone', () =>
      world.pod('stubborn').then(
        () => false,
        () => true,
      ),
    )
  }))

test('a container that cannot be stopped is told of and tried again', () =>
  inWorld(async world => {
    await world.createPod('stuck', {})
    await world.until('stuck', pod => pod.status.phase === 'Running')
    world.cri.failures.set('stopContainer', [new Error('the runtime is busy')])
    await world.client.delete(pods, { namespace: 'default', name: 'stuck' })
    await world.untilTrue('the event is written', async () =>
      (await world.eventsOf('stuck')).includes(
        'FailedKillPod: error killing pod: failed to "KillContainer" for "app" with KillContainerError: "the runtime is busy"',
      ),
    )
    await world.clock.advance(1_000)
    await world.untilTrue('it is gone', () => world.cri.containers.size === 0)
  }))
