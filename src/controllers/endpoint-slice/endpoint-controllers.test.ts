// The three controllers of endpoints together, over the real API server, as a Service and its pods come and go.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { endpointSlices, endpoints, nodes, pods, services } from '../../api/resources.ts'
import type { Endpoints, Node, Pod, Service } from '../../api/types/core-v1.ts'
import { EndpointSliceMirroringController } from '../endpoint-slice-mirroring/endpoint-slice-mirroring-controller.ts'
import { EndpointsController } from '../endpoints/endpoints-controller.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { runEndpointSliceController } from './endpoint-slice-controller.ts'

const at = (name: string) => ({ name, namespace: 'default' })

async function lab() {
  const world = await ControlWorld.create()
  const { client } = world
  await client.create<Node>(nodes, { metadata: { name: 'n1' } } as Draft<Node>)
  world.start(signal => runEndpointSliceController(world, signal))
  world.start(signal => new EndpointsController(world).run(signal))
  world.start(signal => new EndpointSliceMirroringController(world).run(signal))
  return {
    world,
    client,
    makeService: (spec: object = {}) =>
      client.create<Service>(services, {
        metadata: at('web'),
        spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
      } as Draft<Service>),
    async makePod(name: string, ip: string, ready: boolean) {
      const container = { name: 'c', image: 'i' }
      await client.create<Pod>(pods, {
        metadata: { ...at(name), labels: { app: 'web' } },
        spec: { containers: [container], nodeName: 'n1' },
      } as unknown as Draft<Pod>)
      await this.setPod(name, ip, ready)
    },
    async setPod(name: string, ip: string, ready: boolean) {
      const conditions = [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:05Z' },
      ]
      const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions }
      await client.patch(
        pods,
        at(name),
        'application/merge-patch+json',
        { status },
        { subresource: 'status' },
      )
      await world.settle()
    },
    /** '10.0.0.1 ready' of every slice of the Service. */
    async slices() {
      await world.settle()
      const { items } = await client.list(endpointSlices, {
        namespace: 'default',
        labelSelector: 'kubernetes.io/service-name=web',
      })
      return items
        .flatMap(slice => slice.endpoints ?? [])
        .map(({ addresses, conditions }) => `${addresses[0]} ${conditions.ready ? 'ready' : 'not ready'}`)
        .toSorted()
    },
    async endpoints() {
      const found = await world.find<Endpoints>(endpoints, at('web'))
      const list = (found?.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [] }) => [
        ...addresses.map(({ ip }) => `${ip} ready`),
        ...notReadyAddresses.map(({ ip }) => `${ip} not ready`),
      ])
      return found && list.toSorted()
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

test('slices and Endpoints follow pods, and go with the Service', async () => {
  await using made = await lab()
  const { client, world } = made
  await made.makeService()
  assert.deepEqual(await made.slices(), [])
  assert.deepEqual(await made.endpoints(), [])
  await made.makePod('a', '10.0.0.1', false)
  assert.deepEqual(await made.slices(), ['10.0.0.1 not ready'])
  assert.deepEqual(await made.endpoints(), ['10.0.0.1 not ready'])
  await made.setPod('a', '10.0.0.1', true)
  await made.makePod('b', '10.0.0.2', true)
  assert.deepEqual(await made.slices(), ['10.0.0.1 ready', '10.0.0.2 ready'])
  assert.deepEqual(await made.endpoints(), ['10.0.0.1 ready', '10.0.0.2 ready'])
  // Terminating: listed in slices as not ready, not in Endpoints at all.
  await client.delete(pods, at('a'), { gracePeriodSeconds: 30 })
  assert.deepEqual(await made.slices(), ['10.0.0.1 not ready', '10.0.0.2 ready'])
  assert.deepEqual(await made.endpoints(), ['10.0.0.2 ready'])
  await client.delete(pods, at('a'), { gracePeriodSeconds: 0 })
  assert.deepEqual(await made.slices(), ['10.0.0.2 ready'])
  await client.delete(services, at('web'))
  await world.settle()
  assert.equal(await made.endpoints(), undefined)
})

test('a slice that somebody spoils is put right, one that somebody removes is made again', async () => {
  await using made = await lab()
  const { client, world } = made
  await made.makeService()
  await made.makePod('a', '10.0.0.1', true)
  const [slice] = (await client.list(endpointSlices, { namespace: 'default' })).items
  await client.patch(endpointSlices, at(slice!.metadata.name), 'application/merge-patch+json', {
    endpoints: [{ addresses: ['10.9.9.9'], conditions: { ready: true } }],
  })
  assert.deepEqual(await made.slices(), ['10.0.0.1 ready'])
  await client.delete(endpointSlices, at(slice!.metadata.name))
  assert.deepEqual(await made.slices(), ['10.0.0.1 ready'])
  await client.delete(endpoints, at('web'))
  await world.settle()
  assert.deepEqual(await made.endpoints(), ['10.0.0.1 ready'])
})

test('without a selector, Endpoints written by hand are mirrored; with one, no longer', async () => {
  await using made = await lab()
  const { client } = made
  await made.makeService({ selector: null })
  assert.deepEqual(await made.slices(), [])
  await client.create<Endpoints>(endpoints, {
    metadata: at('web'),
    subsets: [{ addresses: [{ ip: '10.5.5.5' }], ports: [{ port: 80 }] }],
  } as Draft<Endpoints>)
  assert.deepEqual(await made.slices(), ['10.5.5.5 ready'])
  await client.patch(services, at('web'), 'application/merge-patch+json', {
    spec: { selector: { app: 'web' } },
  })
  assert.deepEqual(await made.slices(), [])
  assert.deepEqual(await made.endpoints(), [])
})

test('the time of the change is told', async () => {
  await using made = await lab()
  await made.makeService()
  await made.makePod('a', '10.0.0.1', true)
  const name = 'endpoints.kubernetes.io/last-change-trigger-time'
  const [slice] = (await made.client.list(endpointSlices, { namespace: 'default' })).items
  assert.equal(slice!.metadata.annotations?.[name], '2026-01-01T00:00:05Z')
  const object = await made.client.get(endpoints, at('web'))
  assert.equal(object.metadata.annotations?.[name], '2026-01-01T00:00:05Z')
})
