import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { endpointSlices, namespaces, services } from '../../api/resources.ts'
import type { Namespace, Service } from '../../api/types/core-v1.ts'
import type { EndpointSlice } from '../../api/types/discovery-v1.ts'
import { ControlWorld } from '../../controllers/testing/control-world.fixture.ts'
import { ServiceIndex } from './service-index.ts'

const namespace = 'default'

async function setUp() {
  const world = await ControlWorld.create()
  const index = new ServiceIndex(world)
  world.start(signal => index.run(signal))
  await world.settle()
  await index.synced()
  return { world, index, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

const headless = { metadata: { name: 'db', namespace }, spec: { clusterIP: 'None' } } as Draft<Service>
const slice = (name: string, service: string, ...addresses: string[]) =>
  ({
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints: addresses.map(address => ({ addresses: [address], conditions: {} })),
    ports: [],
  }) as unknown as Draft<EndpointSlice>

const addressesOf = (index: ServiceIndex, name: string) => {
  const entry = index.find(namespace, name)
  return entry && entry.kind !== 'external' ? entry.endpoints.map(({ address }) => address) : undefined
}
const namesAt = (index: ServiceIndex, address: string) =>
  index.byAddress(`4:${address}`).map(({ name }) => name)

test('a slice before its Service waits for it; both are followed until they go', async () => {
  await using lab = await setUp()
  const { world, index } = lab
  await world.client.create(endpointSlices, slice('one', 'db', '10.1.0.1'))
  await world.settle()
  assert.equal(index.find(namespace, 'db'), undefined)
  await world.client.create(services, headless)
  await world.settle()
  assert.deepEqual(addressesOf(index, 'db'), ['10.1.0.1'])
  assert.deepEqual(namesAt(index, 'a010001'), ['db'])
  await world.client.update(endpointSlices, slice('one', 'db', '10.1.0.2'))
  await world.client.create(endpointSlices, slice('two', 'db', '10.1.0.3'))
  await world.settle()
  assert.deepEqual(addressesOf(index, 'db'), ['10.1.0.2', '10.1.0.3'])
  assert.deepEqual(namesAt(index, 'a010001'), [])
  await world.client.delete(endpointSlices, { name: 'two', namespace })
  await world.client.delete(services, { name: 'db', namespace })
  await world.settle()
  assert.equal(index.find(namespace, 'db'), undefined)
  assert.deepEqual(namesAt(index, 'a010002'), [])
})

test('a slice that is given to another Service leaves the first one', async () => {
  await using lab = await setUp()
  const { world, index } = lab
  await world.client.create(services, headless)
  await world.client.create(services, {
    ...headless,
    metadata: { name: 'other', namespace },
  } as Draft<Service>)
  await world.client.create(endpointSlices, slice('one', 'db', '10.1.0.1'))
  await world.settle()
  await world.client.update(endpointSlices, slice('one', 'other', '10.1.0.1'))
  await world.settle()
  assert.deepEqual(addressesOf(index, 'db'), [])
  assert.deepEqual(addressesOf(index, 'other'), ['10.1.0.1'])
})

test('namespaces are known as long as they exist', async () => {
  await using lab = await setUp()
  const { world, index } = lab
  await world.client.create(namespaces, { metadata: { name: 'shop' } } as Draft<Namespace>)
  await world.settle()
  assert.equal(index.hasNamespace('shop'), true)
  assert.equal(index.hasNamespace('none'), false)
})
