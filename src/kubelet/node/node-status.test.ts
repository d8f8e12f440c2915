import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeStatus } from '../../api/types/core-v1.ts'
import { hasNewResources, type NodeInputs, nodeStatus, statusPatch } from './node-status.ts'

const inputs = {
  nodeName: 'n',
  addresses: [],
  images: [],
  port: 0,
  devices: { capacity: {}, allocatable: {} },
  machine: { cpus: 2, memoryBytes: 1 << 30, ephemeralStorageBytes: 1 << 30, hugepages: {}, info: {} },
  health: {},
  runtime: { handlers: [], hasSupplementalGroupsPolicy: true },
  volumesInUse: [],
} as unknown as NodeInputs

test('a resource that somebody adds to the capacity can be given to pods', () => {
  const plain = nodeStatus(inputs, undefined, 0)
  assert.equal(hasNewResources(plain), false)
  const extended = { ...plain, capacity: { ...plain.capacity, 'example.com/card': '5' } }
  assert.equal(hasNewResources(extended), true)
  const next = nodeStatus(inputs, extended, 0)
  assert.equal(next.allocatable?.['example.com/card'], '5')
  assert.equal(next.allocatable?.cpu, plain.allocatable?.cpu)
})

test('a resource that goes from the capacity is given to nobody any more', () => {
  const plain = nodeStatus(inputs, undefined, 0)
  const before: NodeStatus = { ...plain, allocatable: { ...plain.allocatable, 'example.com/card': '5' } }
  assert.equal(hasNewResources(before), true)
  const patch = statusPatch(nodeStatus(inputs, before, 0), before) as { allocatable: object }
  assert.deepEqual(patch.allocatable, { ...plain.allocatable, 'example.com/card': null })
})

test('volumes in use are told until they are not, and those attached are left to the controller', () => {
  const volumesAttached = [{ name: 'v', devicePath: '' }]
  const before: NodeStatus = { ...nodeStatus(inputs, undefined, 0), volumesAttached }
  const using = nodeStatus({ ...inputs, volumesInUse: ['v'] }, before, 0)
  assert.deepEqual(using.volumesInUse, ['v'])
  const after = nodeStatus(inputs, using, 0)
  assert.equal(after.volumesInUse, undefined)
  const patch = statusPatch(after, using) as Record<string, unknown>
  assert.equal(patch.volumesInUse, null)
  assert.equal('volumesAttached' in patch, false)
})
