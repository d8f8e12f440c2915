// The scheduler gives out devices, over the real API server; claims are made by their own controller.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../api/kube-object.ts'
import {
  deviceClasses,
  pods as podResource,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
} from '../api/resources.ts'
import type { PodResourceClaim } from '../api/types/core-v1.ts'
import type {
  Device,
  DeviceClass,
  DeviceRequest,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from '../api/types/resource-v1.ts'
import { type AdmissionPlugin, refuse } from '../apiserver/admission/admission.ts'
import { ResourceClaimController } from '../controllers/resource-claim/resource-claim-controller.ts'
import { DRIVER, request, withCel } from './testing/devices.fixture.ts'
import { SchedulerLab } from './testing/scheduler-lab.fixture.ts'

const NO_HELP = 'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'

class DeviceLab {
  readonly lab: SchedulerLab

  private constructor(lab: SchedulerLab) {
    this.lab = lab
  }

  static async create(admission: readonly AdmissionPlugin[] = []): Promise<DeviceLab> {
    const lab = await SchedulerLab.create({ admission })
    const { client, clock, log } = lab.world
    lab.world.start(signal => new ResourceClaimController({ client, clock, log }).run(signal))
    return new DeviceLab(lab)
  }

  async addSlice(node: string, devices: readonly (string | Device)[]): Promise<void> {
    const pool = { name: node, generation: 1, resourceSliceCount: 1 }
    const named = devices.map(device => (typeof device === 'string' ? { name: device } : device))
    await this.lab.world.client.create(resourceSlices, {
      metadata: { name: `slice-${node}` },
      spec: { driver: DRIVER, pool, nodeName: node, devices: named },
    } as Draft<ResourceSlice>)
    await this.lab.world.settle()
  }

  async addClass(name: string, expression?: string, extendedResourceName?: string): Promise<void> {
    const spec = {
      ...(expression && { selectors: withCel(expression) }),
      ...(extendedResourceName && { extendedResourceName }),
    }
    await this.lab.world.client.create(deviceClasses, { metadata: { name }, spec } as Draft<DeviceClass>)
    await this.lab.world.settle()
  }

  async addClaim(name: string, requests: DeviceRequest[] = [request('gpu')]): Promise<void> {
    const metadata = { name, namespace: 'default' }
    const spec = { devices: { requests } }
    await this.lab.world.client.create(resourceClaims, { metadata, spec } as Draft<ResourceClaim>)
    await this.lab.world.settle()
  }

  async addTemplate(name: string): Promise<void> {
    const metadata = { name, namespace: 'default' }
    const spec = { spec: { devices: { requests: [request('gpu')] } } }
    await this.lab.world.client.create(resourceClaimTemplates, {
      metadata,
      spec,
    } as Draft<ResourceClaimTemplate>)
  }

  addPod(name: string, claim: Partial<PodResourceClaim>) {
    return this.lab.addPod(name, '100m', { resourceClaims: [{ name: 'gpu', ...claim }] })
  }

  claim(name: string): Promise<ResourceClaim> {
    return this.lab.world.client.get(resourceClaims, { name, namespace: 'default' })
  }

  async devicesOf(name: string): Promise<string[]> {
    const { status } = await this.claim(name)
    return (status.allocation?.devices.results ?? []).map(({ device }) => device)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]()
  }
}

test('a Pod’s claim gets a device of its node, and the Pod is bound', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await devices.addClass('gpu', 'device.attributes["dra.example.com"].model == "a100"')
  await devices.addSlice('n1', [
    { name: 'old', attributes: { model: { string: 'v100' } } },
    { name: 'new', attributes: { model: { string: 'a100' } } },
  ])
  await devices.addClaim('mine')
  const pod = await devices.addPod('web', { resourceClaimName: 'mine' })
  assert.equal(await lab.nodeOf('web'), 'n1')
  const { status, metadata } = await devices.claim('mine')
  assert.deepEqual(metadata.finalizers, ['resource.kubernetes.io/delete-protection'])
  assert.deepEqual(status.reservedFor, [{ resource: 'pods', name: 'web', uid: pod.metadata.uid }])
  const { allocationTimestamp, ...allocation } = status.allocation!
  assert.ok(allocationTimestamp)
  assert.deepEqual(allocation, {
    devices: { results: [{ request: 'gpu', driver: DRIVER, pool: 'n1', device: 'new' }] },
    nodeSelector: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }],
    },
  })
})

test('a Pod waits until a device is free, and gets the one that another Pod gave back', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await devices.addClass('gpu')
  await devices.addSlice('n1', ['only'])
  await devices.addTemplate('gpus')
  await devices.addPod('first', { resourceClaimTemplateName: 'gpus' })
  await devices.addPod('second', { resourceClaimTemplateName: 'gpus' })
  await lab.world.advance(1_000)
  assert.equal(await lab.nodeOf('first'), 'n1')
  assert.equal(await lab.nodeOf('second'), undefined)
  assert.equal(
    await lab.condition('second'),
    `False Unschedulable: 0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, ${NO_HELP}`,
  )
  await lab.remove('first')
  await lab.world.advance(20_000)
  assert.equal(await lab.nodeOf('second'), 'n1')
})

test('Pods that come at once never get the same device', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await lab.addNode('n2')
  await devices.addClass('gpu')
  await devices.addSlice('n1', ['a', 'b'])
  await devices.addSlice('n2', ['a', 'b'])
  await devices.addTemplate('gpus')
  const names = Array.from({ length: 6 }, (_, index) => `p${index}`)
  await Promise.all(names.map(name => devices.addPod(name, { resourceClaimTemplateName: 'gpus' })))
  await lab.world.advance(20_000)
  const nodes = await Promise.all(names.map(name => lab.nodeOf(name)))
  assert.deepEqual(nodes.filter(node => node !== undefined).sort(), ['n1', 'n1', 'n2', 'n2'])
  const { items } = await lab.world.client.list(resourceClaims)
  const given = items.flatMap(({ status }) =>
    (status.allocation?.devices.results ?? []).map(({ pool, device }) => `${pool}/${device}`),
  )
  assert.deepEqual(given.sort(), ['n1/a', 'n1/b', 'n2/a', 'n2/b'])
})

test('Pods share a claim, and go where its device is', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await lab.addNode('n2')
  await devices.addClass('gpu')
  await devices.addSlice('n2', ['a'])
  await devices.addClaim('shared')
  await devices.addPod('one', { resourceClaimName: 'shared' })
  await devices.addPod('two', { resourceClaimName: 'shared' })
  await lab.world.advance(20_000)
  assert.deepEqual([await lab.nodeOf('one'), await lab.nodeOf('two')], ['n2', 'n2'])
  const { status } = await devices.claim('shared')
  assert.deepEqual(status.reservedFor?.map(({ name }) => name).sort(), ['one', 'two'])
})

test('a Pod is not tried before its claim is there', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await devices.addClass('gpu')
  await devices.addSlice('n1', ['a'])
  await devices.addPod('early', { resourceClaimName: 'later' })
  await lab.world.advance(1_000)
  assert.equal(await lab.condition('early'), undefined)
  await devices.addClaim('later')
  await lab.world.advance(1_000)
  assert.equal(await lab.nodeOf('early'), 'n1')
})

test('a Pod waits for its class and its devices', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await devices.addClaim('mine')
  await devices.addPod('web', { resourceClaimName: 'mine' })
  assert.equal(
    await lab.condition('web'),
    `False Unschedulable: 0/1 nodes are available: request gpu: device class gpu does not exist. no new claims to deallocate, ${NO_HELP}`,
  )
  await devices.addClass('gpu')
  await lab.world.advance(20_000)
  assert.match((await lab.condition('web')) ?? '', /1 cannot allocate all claims/)
  await devices.addSlice('n1', ['a'])
  await lab.world.advance(20_000)
  assert.equal(await lab.nodeOf('web'), 'n1')
})

test('a claim that nobody uses gives its device back when the Pod cannot go where that is', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await lab.addNode('n2')
  await devices.addClass('gpu')
  await devices.addSlice('n1', ['a'])
  await devices.addSlice('n2', ['b'])
  await devices.addClaim('mine')
  await lab.world.client.patch(
    resourceClaims,
    { name: 'mine', namespace: 'default' },
    'application/merge-patch+json',
    {
      status: {
        allocation: {
          devices: { results: [{ request: 'gpu', driver: DRIVER, pool: 'n1', device: 'a' }] },
          nodeSelector: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }],
          },
        },
      },
    },
    { subresource: 'status' },
  )
  await lab.addPod('web', '100m', {
    resourceClaims: [{ name: 'gpu', resourceClaimName: 'mine' }],
    nodeSelector: { 'kubernetes.io/hostname': 'n2' },
  })
  await lab.world.advance(20_000)
  assert.equal(await lab.nodeOf('web'), 'n2')
  assert.deepEqual(await devices.devicesOf('mine'), ['b'])
})

test('a Pod is bound when its device says that it is ready', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await devices.addClass('gpu')
  await devices.addSlice('n1', [
    { name: 'a', bindsToNode: true, bindingConditions: ['Attached'], bindingFailureConditions: ['Broken'] },
  ])
  await devices.addClaim('mine')
  await devices.addPod('web', { resourceClaimName: 'mine' })
  await lab.world.advance(10_000)
  assert.equal(await lab.nodeOf('web'), undefined)
  const events = await lab.world.events()
  assert.ok(
    events.some(text => text.includes('waiting for binding conditions for device on node n1')),
    events.join(),
  )
  const condition = {
    type: 'Attached',
    status: 'True',
    reason: 'Done',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  await lab.world.client.patch(
    resourceClaims,
    { name: 'mine', namespace: 'default' },
    'application/merge-patch+json',
    { status: { devices: [{ driver: DRIVER, pool: 'n1', device: 'a', conditions: [condition] }] } },
    { subresource: 'status' },
  )
  await lab.world.advance(10_000)
  assert.equal(await lab.nodeOf('web'), 'n1')
})

test('a class whose selector fails is told as an error', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await devices.addClass('gpu', 'device.attributes["dra.example.com"].nope == 1')
  await devices.addSlice('n1', ['a'])
  await devices.addClaim('mine')
  await devices.addPod('web', { resourceClaimName: 'mine' })
  assert.match(
    (await lab.condition('web')) ?? '',
    /^False SchedulerError: running "DynamicResources" filter plugin: class gpu: selector #0 on device dra\.example\.com\/n1\/a: CEL runtime error: no such key: nope\n/,
  )
})

test('a Pod that asks for an extended resource gets a claim that is gone when it is', async () => {
  await using devices = await DeviceLab.create()
  const { lab } = devices
  await lab.addNode('n1')
  await devices.addClass('gpu', undefined, 'example.com/gpu')
  await devices.addSlice('n1', ['a', 'b', 'c'])
  const asking = {
    containers: [
      {
        name: 'c',
        image: 'x',
        resources: { requests: { 'example.com/gpu': '2' }, limits: { 'example.com/gpu': '2' } },
      },
    ],
  }
  await lab.addPod('web', '0', asking)
  await lab.world.advance(1_000)
  assert.equal(await lab.nodeOf('web'), 'n1')
  const [claim] = (await lab.world.client.list(resourceClaims)).items
  assert.match(claim!.metadata.name, /^web-extended-resources-[a-z0-9]{5}$/)
  assert.equal(claim!.metadata.annotations?.['resource.kubernetes.io/extended-resource-claim'], 'true')
  assert.deepEqual(await devices.devicesOf(claim!.metadata.name), ['a', 'b'])
  const { status } = await lab.pod('web')
  assert.deepEqual(status.extendedResourceClaimStatus, {
    requestMappings: [
      { containerName: 'c', resourceName: 'example.com/gpu', requestName: 'container-0-request-0' },
    ],
    resourceClaimName: claim!.metadata.name,
  })
  await lab.addPod('other', '0', asking)
  assert.equal(
    await lab.condition('other'),
    `False Unschedulable: 0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, ${NO_HELP}`,
  )
  const told = await lab.pod('web')
  await lab.world.client.update(
    podResource,
    { ...told, status: { ...told.status, phase: 'Succeeded' } },
    { subresource: 'status' },
  )
  await lab.world.advance(20_000)
  assert.equal(await lab.nodeOf('other'), 'n1')
  assert.equal((await lab.world.client.list(resourceClaims)).items.length, 1)
})

test('a Pod that is not bound after all gives its reservation back, and is tried again', async () => {
  let refusals = 1
  const refusing: AdmissionPlugin = {
    name: 'Refusing',
    validate(attributes) {
      if (attributes.subresource === 'binding' && refusals-- > 0) throw refuse(attributes, 'not now')
    },
  }
  await using devices = await DeviceLab.create([refusing])
  const { lab } = devices
  await lab.addNode('n1')
  await devices.addClass('gpu', undefined, 'example.com/gpu')
  await devices.addSlice('n1', ['a', 'b'])
  await devices.addClaim('mine')
  await lab.addPod('web', '0', {
    resourceClaims: [{ name: 'gpu', resourceClaimName: 'mine' }],
    containers: [
      {
        name: 'c',
        image: 'x',
        resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } },
      },
    ],
  })
  assert.match((await lab.condition('web')) ?? '', /SchedulerError: .*not now/)
  const { items } = await lab.world.client.list(resourceClaims)
  assert.deepEqual(
    items.map(({ metadata, status }) => [metadata.name, status.reservedFor ?? []]),
    [['mine', []]],
  )
  await lab.world.advance(20_000)
  assert.equal(await lab.nodeOf('web'), 'n1')
  const reserved = (await lab.world.client.list(resourceClaims)).items
  assert.deepEqual(
    reserved.map(({ status }) => status.reservedFor?.map(({ name }) => name)),
    [['web'], ['web']],
  )
})
