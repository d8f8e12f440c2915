// Devices as users see them: what claims get, who waits for one, and what is said of it. The devices are published by
// hand; there is no driver, so that the kubelet need not get the pods to run.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Node, Pod } from '../../src/api/types/core-v1.ts'
import type { ResourceClaim } from '../../src/api/types/resource-v1.ts'
import { eventually, TestCluster } from './test-cluster.ts'

const DRIVER = 'gpu.example.com'
let cluster: TestCluster
let node: string

const apply = (object: object) => cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })
const dra = (kind: string, name: string, spec: object) =>
  apply({ apiVersion: 'resource.k8s.io/v1', kind, metadata: { name }, spec })
const withCel = (expression: string) => [{ cel: { expression } }]
const gpu = (name: string, model: string, memory: string) => ({
  name,
  attributes: { model: { string: model }, version: { version: '1.2.3' } },
  capacity: { memory: { value: memory } },
})

before(async () => {
  cluster = await TestCluster.up()
  node = (await cluster.json<{ items: Node[] }>('get nodes')).items[0]!.metadata.name
  await dra('ResourceSlice', 'gpus', {
    driver: DRIVER,
    nodeName: node,
    pool: { name: node, generation: 1, resourceSliceCount: 1 },
    devices: [gpu('gpu-0', 'small', '8Gi'), gpu('gpu-1', 'large', '40Gi'), gpu('gpu-2', 'large', '80Gi')],
  })
  await dra('DeviceClass', 'large-gpu', {
    selectors: withCel(
      `device.driver == "${DRIVER}" && device.attributes["${DRIVER}"].model == "large" && device.capacity["${DRIVER}"].memory.compareTo(quantity("32Gi")) >= 0`,
    ),
  })
  await dra('ResourceClaimTemplate', 'large', {
    spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'large-gpu' } }] } },
  })
})
after(async () => cluster?.[Symbol.asyncDispose]())

const createPod = (name: string, claim: object) =>
  apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      resourceClaims: [{ name: 'gpu', ...claim }],
      containers: [
        {
          name: 'c',
          image: 'busybox:1.36',
          command: ['sleep', '600'],
          resources: { claims: [{ name: 'gpu' }] },
        },
      ],
    },
  })

const find = (name: string) => cluster.json<Pod>(`get pod ${name}`)
const isBound = (name: string) =>
  eventually(`${name} is bound`, async () => (await find(name)).spec.nodeName === node, 10_000)
const waits = (name: string): Promise<string> =>
  eventually(
    `${name} waits`,
    async () => (await find(name)).status.conditions?.find(({ type }) => type === 'PodScheduled')?.message,
  )

const claims = async () => (await cluster.json<{ items: ResourceClaim[] }>('get resourceclaims')).items
/** Device by Pod. */
const given = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await claims()).flatMap(({ status }) =>
      (status.reservedFor ?? []).map(({ name }) => [name, status.allocation!.devices.results![0]!.device]),
    ),
  )

test('claims get devices that their class chooses, each its own', async () => {
  await createPod('one', { resourceClaimTemplateName: 'large' })
  await createPod('two', { resourceClaimTemplateName: 'large' })
  await Promise.all(['one', 'two'].map(isBound))
  assert.deepEqual(Object.values(await given()).sort(), ['gpu-1', 'gpu-2'])
  const [claim] = await claims()
  assert.deepEqual(claim!.metadata.finalizers, ['resource.kubernetes.io/delete-protection'])
  assert.match(await cluster.kubectl('get resourceclaims'), /allocated,reserved/)
})

test('a pod waits until a device is free', async () => {
  await createPod('three', { resourceClaimTemplateName: 'large' })
  assert.equal(
    await waits('three'),
    '0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  )
  assert.match(await cluster.kubectl('describe pod three'), /FailedScheduling .*cannot allocate all claims/)
  const { one } = await given()
  await cluster.kubectl('delete pod one --wait=false')
  await isBound('three')
  assert.equal((await given()).three, one)
})

test('a claim of its own waits for its class, and keeps its devices apart from its pods', async () => {
  await dra('ResourceClaim', 'mine', {
    devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'any-gpu' } }] },
  })
  await createPod('four', { resourceClaimName: 'mine' })
  assert.match(await waits('four'), /request gpu: device class any-gpu does not exist/)
  await dra('DeviceClass', 'any-gpu', {})
  await isBound('four')
  assert.equal((await given()).four, 'gpu-0')
  await createPod('five', { resourceClaimName: 'mine' })
  await isBound('five')
  await cluster.kubectl('delete resourceclaim mine --wait=false')
  assert.ok((await claims()).some(({ metadata }) => metadata.name === 'mine' && metadata.deletionTimestamp))
  await cluster.kubectl('delete pod four five')
  await eventually('the claim is gone', async () =>
    (await claims()).every(({ metadata }) => metadata.name !== 'mine'),
  )
})
