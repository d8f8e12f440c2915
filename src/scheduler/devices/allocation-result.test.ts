// What is written into claims.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeSelector, NodeSelectorRequirement } from '../../api/types/core-v1.ts'
import type {
  AllocationResult,
  DeviceClass,
  ResourceClaim,
  ResourceSlice,
} from '../../api/types/resource-v1.ts'
import { claim, DRIVER, deviceClass, exactly, request, slice } from '../testing/devices.fixture.ts'
import { node } from '../testing/scheduling.fixture.ts'
import { allocationOf } from './allocation-result.ts'
import { findDevices } from './find-devices.ts'

function allocate(given: ResourceClaim, slices: ResourceSlice[], classes: DeviceClass[]): AllocationResult {
  const n1 = node('n1', { labels: { rack: 'r1' } })
  const { found, reason } = findDevices({
    node: n1,
    claims: [given],
    slices,
    allocated: { exclusive: new Set(), consumed: new Map() },
    classOf: name => classes.find(({ metadata }) => metadata.name === name),
  })
  assert.ok(found, reason)
  return allocationOf(found[0]!, n1, () => 'share-id')
}

const opaque = (parameters: string) => ({ opaque: { driver: DRIVER, parameters: { is: parameters } } })
const shown = ({ devices }: AllocationResult) =>
  (devices.config ?? []).map(({ source, requests, opaque }) => {
    const { is } = opaque!.parameters as { is: string }
    return `${source} ${requests?.join('+') ?? '*'} ${is}`
  })

test('configuration comes from classes first, once for each, then from the claim', () => {
  const classes = [
    deviceClass('gpu', { config: [opaque('class gpu')] }),
    deviceClass('nic', { config: [opaque('class nic')] }),
  ]
  const given = claim('c', [request('a'), request('b', { deviceClassName: 'nic' }), request('c')], {
    devices: { config: [opaque('for all'), { requests: ['b'], ...opaque('for b') }] },
  })
  assert.deepEqual(shown(allocate(given, [slice('s', ['x', 'y', 'z'])], classes)), [
    'FromClass a+c class gpu',
    'FromClass b class nic',
    'FromClaim * for all',
    'FromClaim b for b',
  ])
})

test('configuration of an alternative counts when it is the one taken, and of all requests names none', () => {
  const classes = [deviceClass('gpu', { config: [opaque('class gpu')] })]
  const alternatives = {
    name: 'any',
    firstAvailable: [
      { name: 'many', ...exactly({ count: 5 }) },
      { name: 'few', ...exactly() },
    ],
  }
  const given = claim('c', [alternatives], {
    devices: {
      config: [
        { requests: ['any/many'], ...opaque('many') },
        { requests: ['any/few'], ...opaque('few') },
      ],
    },
  })
  const result = allocate(given, [slice('s', ['x'])], classes)
  assert.deepEqual(shown(result), ['FromClass * class gpu', 'FromClaim * few'])
  assert.deepEqual(result.devices.results, [
    { request: 'any/few', driver: DRIVER, pool: 'pool', device: 'x' },
  ])
})

test('what a request takes of a device that many share is told with it', () => {
  const nic = { name: 'nic', allowMultipleAllocations: true, capacity: { bandwidth: { value: '10G' } } }
  const given = claim('c', [request('nic', { capacity: { requests: { bandwidth: '3G' } } })])
  const { devices } = allocate(given, [slice('s', [nic])], [deviceClass('gpu')])
  assert.deepEqual(devices.results, [
    {
      request: 'nic',
      driver: DRIVER,
      pool: 'pool',
      device: 'nic',
      shareID: 'share-id',
      consumedCapacity: { bandwidth: '3G' },
    },
  ])
})

const inRack: NodeSelectorRequirement = { key: 'rack', operator: 'In', values: ['r1'] }
const rackSelector = { nodeSelectorTerms: [{ matchExpressions: [inRack] }] }
const byName: NodeSelector = {
  nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }],
}

const places: Record<string, [ResourceSlice, AllocationResult['nodeSelector']]> = {
  'of one node': [slice('s', ['a', 'b']), byName],
  'of every node': [slice('s', ['a', 'b'], { allNodes: true }), undefined],
  'of some nodes': [slice('s', ['a', 'b'], { nodeSelector: rackSelector }), rackSelector],
  'that bind to the node': [slice('s', [{ name: 'a', bindsToNode: true }, 'b'], { allNodes: true }), byName],
  'with places of their own': [
    slice(
      's',
      [
        { name: 'a', nodeSelector: rackSelector },
        { name: 'b', allNodes: true },
      ],
      {
        perDeviceNodeSelection: true,
      },
    ),
    rackSelector,
  ],
}

for (const [title, [given, expected]] of Object.entries(places)) {
  test(`devices ${title} can be used there`, () => {
    const two = claim('c', [request('gpu', { count: 2 })])
    assert.deepEqual(allocate(two, [given], [deviceClass('gpu')]).nodeSelector, expected)
  })
}
