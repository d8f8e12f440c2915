// Which pods the node takes, and what it says to the others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodes } from '../api/resources.ts'
import { inWorld } from './testing/in-world.fixture.ts'
import { container } from './testing/kubelet-world.fixture.ts'

test('a pod that asks for what the node was given a moment ago is taken', () =>
  inWorld(async world => {
    await world.createPod('first', {})
    await world.until('first', one => one.status.phase === 'Running')
    const key = { name: 'node-1' }
    const type = 'application/merge-patch+json'
    await Promise.all([
      world.client.patch(nodes, key, type, { metadata: { labels: { disk: 'ssd' } } }),
      world.createPod('picky', { nodeSelector: { disk: 'ssd' }, containers: [container('app')] }),
    ])
    await world.until('picky', one => one.status.phase === 'Running')
    await world.createPod('choosy', { nodeSelector: { disk: 'hdd' }, containers: [container('app')] })
    const pod = await world.until('choosy', one => one.status.phase === 'Failed')
    assert.equal(pod.status.reason, 'NodeAffinity')
  }))

test('a pod that does not fit is rejected with the reason', () =>
  inWorld(async world => {
    await world.createPod('huge', {
      containers: [container('app', { resources: { requests: { cpu: '64' } } })],
    })
    const pod = await world.until('huge', one => one.status.phase === 'Failed')
    assert.equal(pod.status.reason, 'OutOfcpu')
    assert.equal(
      pod.status.message,
      "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 4000",
    )
    assert.deepEqual(world.cri.calls, [])
  }))

test('a critical pod has another make room for it', () =>
  inWorld(async world => {
    const asking = (cpu: string) => ({ containers: [container('app', { resources: { requests: { cpu } } })] })
    await world.createPod('plain', asking('3'))
    await world.until('plain', pod => pod.status.phase === 'Running')
    await world.createPod('critical', { ...asking('3'), priority: 2_000_000_000 })
    await world.until('critical', pod => pod.status.phase === 'Running')
    const { status: ended } = await world.until('plain', pod => pod.status.phase === 'Failed')
    assert.deepEqual(
      [ended.reason, ended.message],
      ['Preempting', 'Preempted in order to admit critical pod'],
    )
    assert.equal(
      ended.conditions?.find(({ type }) => type === 'DisruptionTarget')?.message,
      'Pod was preempted by Kubelet to accommodate a critical pod.',
    )
    assert.ok(
      (await world.eventsOf('plain')).includes('Preempting: Preempted in order to admit critical pod'),
    )
  }))
