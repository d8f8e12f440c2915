import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { ipAddresses, serviceCIDRs, services } from '../../api/resources.ts'
import type { Service } from '../../api/types/core-v1.ts'
import type { IPAddress, ServiceCIDR } from '../../api/types/networking-v1.ts'
import { EventsV1Recorder } from '../../client/events/events-v1-recorder.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { addressFor } from './decide-ip-address-repair.ts'
import { IpAddressRepairController } from './ip-address-repair-controller.ts'

async function start(): Promise<ControlWorld> {
  const world = await ControlWorld.create()
  const { client, clock, log } = world
  await client.create<ServiceCIDR>(serviceCIDRs, {
    metadata: { name: 'kubernetes' },
    spec: { cidrs: ['10.96.0.0/16'] },
  } as Draft<ServiceCIDR>)
  const reportingController = 'ipallocator-repair-controller'
  const recorder = new EventsV1Recorder({ client, reportingController, hostname: 'h', clock, log })
  world.start(signal => new IpAddressRepairController({ client, clock, log, recorder }).run(signal))
  await world.settle()
  return world
}

const service = (name: string, spec: object = {}) =>
  ({
    metadata: { name, namespace: 'default' },
    spec: { clusterIP: '10.96.0.20', ports: [{ port: 80 }], ...spec },
  }) as Draft<Service>

test('what comes and goes with Services is left alone, and nothing is said of it', async () => {
  await using world = await start()
  const { client } = world
  const at = { name: 'web', namespace: 'default' }
  await client.create(services, service('web'))
  await world.settle()
  const merge = (spec: object) => client.patch(services, at, 'application/merge-patch+json', { spec })
  await merge({ type: 'ExternalName', externalName: 'a.example' })
  await world.settle()
  await merge({ type: 'ClusterIP', externalName: null, clusterIP: '10.96.0.21' })
  await world.settle()
  assert.deepEqual(await world.names(ipAddresses), ['10.96.0.21'])
  await client.delete(services, at)
  await world.advance(120_000)
  assert.deepEqual(await world.names(ipAddresses), [])
  assert.deepEqual(await world.events(), [])
})

test('one that somebody removed is there again', async () => {
  await using world = await start()
  await world.client.create(services, service('web'))
  const before = await world.client.get<IPAddress>(ipAddresses, { name: '10.96.0.20' })
  await world.client.delete(ipAddresses, { name: '10.96.0.20' })
  await world.settle()
  const after = await world.client.get<IPAddress>(ipAddresses, { name: '10.96.0.20' })
  assert.deepEqual(after.spec, before.spec)
  assert.deepEqual(after.metadata.labels, before.metadata.labels)
  assert.deepEqual(await world.events(), [
    'Warning ClusterIPNotAllocated: Cluster IP [IPv4]: 10.96.0.20 is not allocated; repairing',
  ])
})

test('one of no Service goes after the time that a request may take', async () => {
  await using world = await start()
  const nobody = { metadata: { name: 'nobody', namespace: 'default' } } as Service
  await world.client.create(ipAddresses, addressFor('10.96.0.30', nobody) as Draft<IPAddress>)
  await world.advance(59_000)
  assert.deepEqual(await world.names(ipAddresses), ['10.96.0.30'])
  await world.advance(1_000)
  assert.deepEqual(await world.names(ipAddresses), [])
  assert.deepEqual(await world.events(), [
    'Warning IPAddressNotAllocated: IPAddress: 10.96.0.30 for Service default/nobody appears to have leaked: cleaning up',
  ])
})
