// A runtime that does not answer, or has not what is asked for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../api/kube-object.ts'
import { runtimeClasses } from '../api/resources.ts'
import type { RuntimeClass } from '../api/types/node-v1.ts'
import { inWorld, status } from './testing/in-world.fixture.ts'

test('a runtime that does not answer is told of, and the pod is looked at again', () =>
  inWorld(async world => {
    await world.createPod('unseen', {})
    await world.until('unseen', pod => pod.status.phase === 'Running')
    let broken = true
    const list = world.cri.listContainers.bind(world.cri)
    world.cri.listContainers = async request => {
      if (broken) throw new Error('no answer')
      return list(request)
    }
    world.cri.restart()
    await world.clock.advance(200)
    await world.untilTrue('the event is written', async () =>
      (await world.eventsOf('unseen')).includes('FailedSync: error determining status: no answer'),
    )
    broken = false
    world.cri.exit('app', 1)
    await world.clock.advance(10_000)
    await world.until('unseen', pod => status(pod, 'app')?.restartCount === 1)
  }))

test('a RuntimeClass names the handler, and one that the runtime does not have keeps its pods waiting', () =>
  inWorld(async world => {
    const draft = { metadata: { name: 'special' }, handler: 'no-such' } as unknown as Draft<RuntimeClass>
    await world.client.create(runtimeClasses, draft)
    await world.createPod('odd', { runtimeClassName: 'special' })
    const text =
      'FailedCreatePodSandBox: Failed to create pod sandbox: no runtime for "no-such" is configured'
    await world.untilTrue('it was told', async () => (await world.eventsOf('odd')).includes(text))
    assert.equal((await world.pod('odd')).status.phase, 'Pending')
  }))
