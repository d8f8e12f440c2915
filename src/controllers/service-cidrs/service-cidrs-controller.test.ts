import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { serviceCIDRs, services } from '../../api/resources.ts'
import { isInvalid } from '../../api/status-error.ts'
import type { Service } from '../../api/types/core-v1.ts'
import type { ServiceCIDR } from '../../api/types/networking-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { ServiceCidrsController } from './service-cidrs-controller.ts'

const inRange = (clusterIP: string) =>
  ({
    metadata: { name: 'web', namespace: 'default' },
    spec: { clusterIP, ports: [{ port: 80 }] },
  }) as Draft<Service>

test('a range of one’s own gives addresses as soon as it is ready, and goes when the last is given back', async () => {
  await using world = await ControlWorld.create()
  const { client } = world
  await client.create<ServiceCIDR>(serviceCIDRs, {
    metadata: { name: 'more' },
    spec: { cidrs: ['10.200.0.0/28'] },
  } as Draft<ServiceCIDR>)
  await assert.rejects(client.create(services, inRange('10.200.0.5')), isInvalid)
  world.start(signal => new ServiceCidrsController(world).run(signal))
  await world.settle()
  const { metadata, status } = await client.get(serviceCIDRs, { name: 'more' })
  assert.deepEqual(metadata.finalizers, ['networking.k8s.io/service-cidr-finalizer'])
  assert.deepEqual(
    status?.conditions?.map(one => [one.type, one.status]),
    [['Ready', 'True']],
  )
  const made = await client.create<Service>(services, inRange('10.200.0.5'))
  assert.equal(made.spec.clusterIP, '10.200.0.5')

  await client.delete(serviceCIDRs, { name: 'more' })
  await world.settle()
  const going = await client.get(serviceCIDRs, { name: 'more' })
  assert.equal(going.status?.conditions?.[0]?.reason, 'Terminating')
  const other = { ...inRange('10.200.0.6'), metadata: { name: 'other', namespace: 'default' } }
  await assert.rejects(client.create(services, other as Draft<Service>), isInvalid)
  await client.delete(services, { name: 'web', namespace: 'default' })
  await world.settle()
  assert.equal(await world.find(serviceCIDRs, { name: 'more' }), undefined)
})
