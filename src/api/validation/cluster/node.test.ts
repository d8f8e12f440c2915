import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createErrors, objectOf, updateErrors } from '../test-validation.ts'

const node = (spec: object, status: object = {}) => objectOf('v1', 'Node', '', { spec, status })
const taint = { key: 'a', value: 'b', effect: 'NoSchedule' }

const created: Record<string, [object, object, ...string[]]> = {
  'a plain node is fine': [{ taints: [taint], podCIDRs: ['10.1.0.0/24'] }, { capacity: { cpu: '1' } }],
  'taints have a known effect': [
    { taints: [{ key: 'a', effect: 'Never' }] },
    {},
    'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ],
  'and any effect': [{ taints: [{ key: 'a' }] }, {}, 'metadata.taints[0].effect: Required value'],
  'taints are there once': [
    { taints: [taint, { ...taint, value: 'c' }] },
    {},
    'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"c","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
  ],
  'a family has one range': [
    { podCIDRs: ['10.1.0.0/24', '10.2.0.0/24'] },
    {},
    'spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.0/24"]: may specify no more than one CIDR for each IP family',
  ],
  'extended resources are whole': [
    {},
    { capacity: { 'example.com/gpu': '500m' } },
    'status.capacity.example.com/gpu: Invalid value: "500m": must be an integer',
  ],
  'nothing is less than nothing': [
    {},
    { allocatable: { memory: '-1' } },
    'status.allocatable.memory: Invalid value: "-1": must be greater than or equal to 0',
  ],
}

for (const [title, [spec, status, ...expected]] of Object.entries(created)) {
  test(`node validation: ${title}`, () => assert.deepEqual(createErrors(node(spec, status)), expected))
}

const updated: Record<string, [object, object, ...string[]]> = {
  'ranges may be given later': [{}, { podCIDRs: ['10.1.0.0/24'] }],
  'but not changed': [
    { podCIDRs: ['10.1.0.0/24'] },
    { podCIDRs: ['10.2.0.0/24'] },
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
  ],
  'nor taken away': [
    { podCIDRs: ['10.1.0.0/24'] },
    {},
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
  ],
  'the provider stays': [
    { providerID: 'a://1' },
    { providerID: 'a://2' },
    'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
  ],
  'a wrong taint is told once': [{}, { taints: [{ key: 'a' }] }, 'metadata.taints[0].effect: Required value'],
  'marking it unschedulable is fine': [{}, { unschedulable: true }],
}

for (const [title, [before, after, ...expected]] of Object.entries(updated)) {
  test(`node update: ${title}`, () => assert.deepEqual(updateErrors(node(after), node(before)), expected))
}

test('an address is there once', () => {
  const address = { type: 'InternalIP', address: '10.0.0.1' }
  const errors = updateErrors(node({}, { addresses: [address, address] }), node({}), 'status')
  assert.deepEqual(errors, [
    'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}',
  ])
})
