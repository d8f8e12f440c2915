import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Draft } from '../../api/kube-object.ts'
import { configMaps, pods, resourceQuotas, services } from '../../api/resources.ts'
import { isForbidden } from '../../api/status-error.ts'
import type { ConfigMap, Pod, ResourceQuota, ResourceQuotaSpec, Service } from '../../api/types/core-v1.ts'
import { resourceQuota } from '../../apiserver/admission/resource-quota.ts'
import { storageLookup } from '../../apiserver/admission/storage-lookup.ts'
import { ControlWorld, START } from '../testing/control-world.fixture.ts'
import { ResourceQuotaController } from './resource-quota-controller.ts'

const CALM_MS = 200

/** With the quota admission and the controller. */
async function createWorld(): Promise<ControlWorld> {
  const world: ControlWorld = await ControlWorld.create({
    plugins: storage => [
      resourceQuota({
        lookup: storageLookup(storage),
        clock: { now: () => START },
        updateStatus: async quota => {
          await world.client.update(resourceQuotas, structuredClone(quota), { subresource: 'status' })
        },
      }),
    ],
  })
  world.start(signal => new ResourceQuotaController(world).run(signal))
  return world
}

async function limit(world: ControlWorld, spec: ResourceQuotaSpec): Promise<void> {
  const metadata = { name: 'q', namespace: 'default' }
  await world.client.create(resourceQuotas, { metadata, spec } as Draft<ResourceQuota>)
  await world.settle()
}

async function used(world: ControlWorld): Promise<Record<string, string> | undefined> {
  return (await world.client.get(resourceQuotas, { name: 'q', namespace: 'default' })).status.used
}

/** False when the quota does not let it in. */
async function createPod({ client }: ControlWorld, name: string, more: object = {}): Promise<boolean> {
  const resources = {
    requests: { cpu: '100m', 'example.com/dongle': '1' },
    limits: { 'example.com/dongle': '1' },
  }
  const spec = { containers: [{ name: 'main', image: 'nginx', resources }], ...more }
  try {
    await client.create(pods, { metadata: { name, namespace: 'default' }, spec } as unknown as Draft<Pod>)
    return true
  } catch (error) {
    if (isForbidden(error)) return false
    throw error
  }
}

const remove = ({ client }: ControlWorld, name: string) => client.delete(pods, { name, namespace: 'default' })

test('a new quota counts what is there already', async () => {
  await using world = await createWorld()
  await createPod(world, 'a')
  await createPod(world, 'b')
  const spec = { type: 'NodePort', ports: [{ port: 80 }] }
  await world.client.create(services, {
    metadata: { name: 's', namespace: 'default' },
    spec,
  } as unknown as Draft<Service>)
  await world.client.create<ConfigMap>(configMaps, { metadata: { name: 'c', namespace: 'default' } })
  const hard = {
    pods: '5',
    cpu: '1',
    'requests.example.com/dongle': '3',
    services: '2',
    'services.nodeports': '1',
    'count/configmaps': '4',
    'count/deployments.apps': '2',
    secrets: '3',
  }
  await limit(world, { hard })
  assert.deepEqual(await used(world), {
    pods: '2',
    cpu: '200m',
    'requests.example.com/dongle': '2',
    services: '1',
    'services.nodeports': '1',
    'count/configmaps': '1',
    'count/deployments.apps': '0',
    secrets: '0',
  })
  const { status } = await world.client.get(resourceQuotas, { name: 'q', namespace: 'default' })
  assert.deepEqual(status.hard, hard)
})

test('what goes or comes to its end is given back', async () => {
  await using world = await createWorld()
  await limit(world, { hard: { pods: '2' } })
  assert.deepEqual(
    [await createPod(world, 'a'), await createPod(world, 'b'), await createPod(world, 'c')],
    [true, true, false],
  )
  await remove(world, 'a')
  await world.advance(CALM_MS)
  assert.deepEqual(await used(world), { pods: '1' })
  const pod = await world.client.get(pods, { name: 'b', namespace: 'default' })
  await world.client.update(
    pods,
    { ...pod, status: { ...pod.status, phase: 'Succeeded' } },
    { subresource: 'status' },
  )
  await world.advance(CALM_MS)
  assert.deepEqual(await used(world), { pods: '0' })
  assert.equal(await createPod(world, 'c'), true)
})

test('scopes choose which Pods count', async () => {
  await using world = await createWorld()
  await createPod(world, 'short', { activeDeadlineSeconds: 60 })
  await createPod(world, 'long')
  await createPod(world, 'important', { priorityClassName: 'high' })
  await limit(world, { hard: { pods: '9' }, scopes: ['Terminating'] })
  assert.deepEqual(await used(world), { pods: '1' })
  const quota = await world.client.get(resourceQuotas, { name: 'q', namespace: 'default' })
  const scopeSelector = {
    matchExpressions: [{ scopeName: 'PriorityClass' as const, operator: 'In' as const, values: ['high'] }],
  }
  await world.client.delete(resourceQuotas, { name: 'q', namespace: 'default' })
  await limit(world, { hard: quota.spec.hard!, scopeSelector })
  assert.deepEqual(await used(world), { pods: '1' })
})

test('changed limits are taken over', async () => {
  await using world = await createWorld()
  await createPod(world, 'a')
  await limit(world, { hard: { pods: '2' } })
  const quota = await world.client.get(resourceQuotas, { name: 'q', namespace: 'default' })
  await world.client.update(resourceQuotas, { ...quota, spec: { hard: { pods: '4', 'count/pods': '3' } } })
  await world.settle()
  const { status } = await world.client.get(resourceQuotas, { name: 'q', namespace: 'default' })
  assert.deepEqual(status, { hard: { pods: '4', 'count/pods': '3' }, used: { pods: '1', 'count/pods': '1' } })
})

test('however creates and deletes come together, the quota is never overspent and comes out even', async () => {
  const run = async (rounds: { create: number; remove: number; waits: boolean }[]) => {
    await using world = await createWorld()
    await limit(world, { hard: { pods: '4' } })
    let made = 0
    for (const { create, remove: gone, waits } of rounds) {
      const present = await world.names(pods)
      await Promise.all([
        ...Array.from({ length: create }, () => createPod(world, `p${made++}`)),
        ...present.slice(0, gone).map(name => remove(world, name)),
      ])
      assert.ok((await world.names(pods)).length <= 4)
      await world.advance(waits ? CALM_MS : 1)
    }
    await world.advance(CALM_MS)
    assert.deepEqual(await used(world), { pods: String((await world.names(pods)).length) })
  }
  const round = fc.record({ create: fc.nat(5), remove: fc.nat(3), waits: fc.boolean() })
  await fc.assert(fc.asyncProperty(fc.array(round, { maxLength: 8 }), run), { numRuns: 10 })
})
