import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { nodes, pods } from '../../api/resources.ts'
import type { Node, Pod, PodPhase } from '../../api/types/core-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { PodGcController } from './pod-gc-controller.ts'

async function makePod(
  { client }: ControlWorld,
  name: string,
  { node, phase = 'Running', finalizers }: { node?: string; phase?: PodPhase; finalizers?: string[] } = {},
): Promise<void> {
  const spec = {
    ...(node && { nodeName: node }),
    containers: [{ name: 'main', image: 'nginx', resources: {} }],
  }
  const metadata = { name, namespace: 'default', ...(finalizers && { finalizers }) }
  const pod = await client.create(pods, { metadata, spec } as Draft<Pod>)
  await client.update(pods, { ...pod, status: { ...pod.status, phase } }, { subresource: 'status' })
}

const makeNode = ({ client }: ControlWorld, name: string, spec: object = {}) =>
  client.create(nodes, { metadata: { name }, spec } as Draft<Node>)

const find = (world: ControlWorld, name: string) => world.find(pods, { name, namespace: 'default' })

test('Pods of a Node that is gone for 40 s are marked as disrupted and deleted', async () => {
  await using world = await ControlWorld.create()
  await makeNode(world, 'one')
  await makeNode(world, 'two')
  await makePod(world, 'lost', { node: 'one', finalizers: ['example.com/watch'] })
  await makePod(world, 'kept', { node: 'two' })
  world.start(signal => new PodGcController(world).run(signal))
  await world.settle()
  await world.client.delete(nodes, { name: 'one' })
  await world.advance(39_999)
  assert.equal((await find(world, 'lost'))?.metadata.deletionTimestamp, undefined)
  await world.advance(1)
  const lost = await find(world, 'lost')
  assert.ok(lost?.metadata.deletionTimestamp)
  assert.equal(lost.status.phase, 'Failed')
  const target = lost.status.conditions?.find(({ type }) => type === 'DisruptionTarget')
  assert.deepEqual(
    [target?.status, target?.reason, target?.message],
    ['True', 'DeletionByPodGC', 'PodGC: node no longer exists'],
  )
  assert.ok(await find(world, 'kept'))
})

test('a Node that comes back in time keeps its Pods', async () => {
  await using world = await ControlWorld.create()
  await makePod(world, 'early', { node: 'one' })
  world.start(signal => new PodGcController(world).run(signal))
  await world.advance(30_000)
  await makeNode(world, 'one')
  await world.advance(60_000)
  assert.ok(await find(world, 'early'))
})

test('of finished Pods the oldest go when there are too many', async () => {
  await using world = await ControlWorld.create()
  world.start(signal => new PodGcController({ ...world, terminatedThreshold: 2 }).run(signal))
  for (const name of ['a', 'b', 'c', 'd']) {
    await makePod(world, name, { phase: name === 'b' ? 'Running' : 'Succeeded' })
    await world.advance(1_000)
  }
  assert.deepEqual(await world.names(pods), ['b', 'c', 'd'])
})

test('Pods that go on a Node out of service, and unscheduled ones, do not wait for a kubelet', async () => {
  await using world = await ControlWorld.create()
  await makeNode(world, 'one')
  await makePod(world, 'stuck', { node: 'one' })
  await makePod(world, 'stays', { node: 'one' })
  await makePod(world, 'held', { finalizers: ['example.com/watch'] })
  world.start(signal => new PodGcController(world).run(signal))
  await world.client.delete(pods, { name: 'stuck', namespace: 'default' })
  await world.client.delete(pods, { name: 'held', namespace: 'default' })
  await world.settle()
  assert.ok(await find(world, 'stuck'))
  assert.equal((await find(world, 'held'))?.status.phase, 'Failed')
  const taints = [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }]
  await world.client.patch(nodes, { name: 'one' }, 'application/merge-patch+json', { spec: { taints } })
  await world.settle()
  assert.equal(await find(world, 'stuck'), undefined)
  assert.ok(await find(world, 'stays'))
})
