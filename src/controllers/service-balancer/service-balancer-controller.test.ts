import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { nodes, services } from '../../api/resources.ts'
import type { Node, Service } from '../../api/types/core-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { ServiceBalancerController } from './service-balancer-controller.ts'

const at = (name: string) => ({ name, namespace: 'default' })

async function lab() {
  const world = await ControlWorld.create()
  const { client } = world
  const status = {
    addresses: [{ type: 'InternalIP', address: '192.0.2.2' }],
    conditions: [{ type: 'Ready', status: 'True' }],
  }
  await client.create<Node>(nodes, { metadata: { name: 'n1' }, status } as unknown as Draft<Node>)
  world.start(signal => new ServiceBalancerController(world).run(signal))
  return {
    world,
    client,
    async make(name: string, port: number) {
      const spec = { type: 'LoadBalancer', ports: [{ port }] }
      await client.create<Service>(services, { metadata: at(name), spec } as Draft<Service>)
      await world.settle()
    },
    async addresses(name: string) {
      await world.settle()
      const found = await world.find<Service>(services, at(name))
      return found?.status.loadBalancer?.ingress?.map(({ ip }) => ip)
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

test('a balancer has the node’s address until it is deleted or becomes something else', async () => {
  await using made = await lab()
  const { client } = made
  await made.make('a', 80)
  assert.deepEqual(await made.addresses('a'), ['192.0.2.2'])
  await client.patch(services, at('a'), 'application/merge-patch+json', { spec: { type: 'ClusterIP' } })
  assert.equal(await made.addresses('a'), undefined)
  assert.equal((await client.get(services, at('a'))).metadata.finalizers, undefined)
  await made.make('b', 80)
  await client.delete(services, at('b'))
  await made.world.settle()
  assert.equal(await made.world.find(services, at('b')), undefined)
})

test('of two that want one port the second waits until the first goes', async () => {
  await using made = await lab()
  await made.make('a', 80)
  await made.make('b', 80)
  assert.equal(await made.addresses('b'), undefined)
  assert.ok((await made.world.events()).some(text => text.includes('SyncLoadBalancerFailed')))
  await made.client.delete(services, at('a'))
  assert.deepEqual(await made.addresses('b'), ['192.0.2.2'])
})
