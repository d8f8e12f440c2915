import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, TestRegistry } from '../registry/test-registry.ts'
import { deviceAdminAccess } from './device-admin-access.ts'
import { storageLookup } from './storage-lookup.ts'

const request = (more: object = {}) => ({ name: 'gpu', exactly: { deviceClassName: 'gpu', ...more } })
const claim = (name: string, more: object = {}) => ({
  metadata: { name },
  spec: { devices: { requests: [request(), { ...request(more), name: 'second' }] } },
})

async function cluster(labels: Record<string, string>): Promise<TestRegistry> {
  const api = new TestRegistry(storage => [deviceAdminAccess(storageLookup(storage))])
  await api.create('namespaces', { metadata: { name: 'ns', labels } })
  return api
}

test('administrators’ access to devices is for namespaces that are marked for it', async () => {
  const api = await cluster({})
  await api.create('resource.k8s.io/v1/resourceclaims', claim('plain'))
  const refused = await failure(
    api.create('resource.k8s.io/v1/resourceclaims', claim('admin', { adminAccess: true })),
  )
  assert.deepEqual(
    [refused.code, refused.message],
    [
      422,
      'ResourceClaim.resource.k8s.io "admin" is invalid: spec.devices.requests[1].adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace',
    ],
  )
  const template = { metadata: { name: 't' }, spec: { spec: claim('', { adminAccess: true }).spec } }
  const unmade = await failure(api.create('resource.k8s.io/v1/resourceclaimtemplates', template))
  assert.equal(unmade.code, 422)
  const marked = await cluster({ 'resource.kubernetes.io/admin-access': 'true' })
  await marked.create('resource.k8s.io/v1/resourceclaims', claim('admin', { adminAccess: true }))
})

const result = (device: string, more: object = {}) => ({
  request: 'gpu',
  driver: 'gpu.example.com',
  pool: 'n1',
  device,
  ...more,
})

test('administrators’ access is not given where it may not be asked for, and what a driver tells goes with its device', async () => {
  const api = await cluster({})
  const made = await api.create('resource.k8s.io/v1/resourceclaims', claim('c'))
  const write = (status: object) =>
    api.object('update', 'resource.k8s.io/v1/resourceclaims', {
      name: 'c',
      subresource: 'status',
      body: { ...made, metadata: { ...made.metadata, resourceVersion: undefined }, status },
    })
  const refused = await failure(
    write({ allocation: { devices: { results: [result('a', { adminAccess: true })] } } }),
  )
  assert.equal(refused.details!.causes![0]!.field, 'status.allocation.devices.results[0].adminAccess')
  const { request: _, ...device } = result('a')
  const told = await write({ allocation: { devices: { results: [result('a')] } }, devices: [device] })
  assert.equal(told.status!.devices!.length, 1)
  assert.deepEqual((await write({ devices: [device] })).status, {})
})
