// Eviction as a whole kubelet does it, and what is left to be seen of it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { nodes } from '../../api/resources.ts'
import { fine, GI, low } from '../testing/eviction.fixture.ts'
import { KubeletWorld } from '../testing/kubelet-world.fixture.ts'
import { spec } from '../testing/pods.fixture.ts'

test('an evicted pod fails with the reason, is stopped, and its object stays', async () => {
  let now = fine
  const world = await KubeletWorld.create({ observe: () => now })
  try {
    await world.createPod('victim', {})
    await world.until('victim', pod => pod.status.phase === 'Running')
    now = low
    await world.clock.advance(10_000)
    const pod = await world.until('victim', one => one.status.phase === 'Failed')
    assert.equal(pod.status.reason, 'Evicted')
    assert.match(pod.status.message!, /^The node was low on resource: memory\. Threshold quantity: 100Mi/)
    const disruption = pod.status.conditions?.find(({ type }) => type === 'DisruptionTarget')
    assert.deepEqual([disruption?.status, disruption?.reason], ['True', 'TerminationByKubelet'])
    assert.deepEqual(world.cri.running(), [])
    assert.ok((await world.eventsOf('victim')).some(text => text.startsWith('Evicted: The node was low')))
    await world.untilTrue('the node shows the pressure', async () =>
      (await world.client.get(nodes, { name: 'node-1' })).status.conditions!.some(
        ({ type, status }) => type === 'MemoryPressure' && status === 'True',
      ),
    )
  } finally {
    await world.close()
  }
})

test('a full disk costs finished pods their containers and the node its unused images, before any pod', async () => {
  const disk = { 'imagefs.available': { available: GI, capacity: 2 * GI } }
  const world = await KubeletWorld.create({ observe: () => disk })
  try {
    world.cri.behaviours.set('app', () => 0)
    await world.createPod('done', { restartPolicy: 'Never' })
    await world.until('done', pod => pod.status.phase === 'Succeeded')
    await world.createPod('live', { containers: [{ ...spec('stays'), image: 'example/stays:1' }] })
    await world.until('live', pod => pod.status.phase === 'Running')
    // Images are looked at every five minutes, and one that is younger than two stays.
    await world.clock.advance(420_000)
    world.cri.images.add({ name: 'example/new:1' })
    disk['imagefs.available'] = { available: 1, capacity: 2 * GI }
    await world.clock.advance(10_000)
    await world.untilTrue('the image is removed', () => world.cri.calls.includes('removeImage example/app:1'))
    assert.deepEqual(
      [...world.cri.containers.values()].map(({ config }) => config.metadata.name),
      ['stays'],
    )
    assert.deepEqual(
      world.cri.calls.filter(call => call.startsWith('removeImage')),
      ['removeImage example/app:1'],
    )
    assert.equal((await world.pod('done')).status.containerStatuses?.[0]?.state.terminated?.exitCode, 0)
  } finally {
    await world.close()
  }
})
