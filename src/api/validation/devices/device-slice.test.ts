import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../kube-object.ts'
import { validateCreate, validateUpdate } from '../validation.ts'

const object = (kind: string, spec: object, status?: object): KubeObject =>
  ({
    apiVersion: 'resource.k8s.io/v1',
    kind,
    metadata: {
      name: 'x',
      ...(kind === 'ResourceClaim' && { namespace: 'n' }),
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec,
    ...(status && { status }),
  }) as KubeObject

const texts = (errors: readonly { field: string; message: string }[]) =>
  errors.map(({ field, message }) => `${field}: ${message}`)

const slice = (more: object = {}) =>
  object('ResourceSlice', {
    driver: 'gpu.example.com',
    pool: { name: 'n1', generation: 1, resourceSliceCount: 1 },
    nodeName: 'n1',
    devices: [{ name: 'gpu-0' }],
    ...more,
  })
const one = (device: object) => ({ devices: [{ name: 'a', ...device }] })
const shared = (requestPolicy: object) =>
  one({ allowMultipleAllocations: true, capacity: { memory: { value: '10Gi', requestPolicy } } })

const slices: Record<string, [object, string[]]> = {
  'devices of a node': [{}, []],
  'everything that a device may have': [
    one({
      attributes: {
        model: { string: 'a100' },
        'other.example.com/numa': { int: 0 },
        ok: { bool: false },
        v: { version: '1.2.3-rc.1+b' },
      },
      capacity: { memory: { value: '10Gi' } },
      taints: [{ key: 'broken', effect: 'NoSchedule' }],
      consumesCounters: [{ counterSet: 'card', counters: { memory: { value: '1Gi' } } }],
      bindingConditions: ['Attached'],
      bindingFailureConditions: ['Broken'],
    }),
    [],
  ],
  'no driver and no pool': [
    { driver: '', pool: { name: '', generation: -1, resourceSliceCount: 0 } },
    [
      'spec.driver: Required value',
      'spec.pool.name: Required value',
      'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
      'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
    ],
  ],
  nowhere: [
    { nodeName: undefined },
    [
      'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
    ],
  ],
  'here and everywhere': [
    { allNodes: true },
    [
      'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
    ],
  ],
  'counters and devices': [
    { sharedCounters: [{ name: 'card', counters: { memory: { value: '1Gi' } } }] },
    ['spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed'],
  ],
  'devices of one name': [
    { devices: [{ name: 'a' }, { name: 'a' }] },
    ['spec.devices[1]: Duplicate value: "a"'],
  ],
  'too many devices': [
    { devices: Array.from({ length: 129 }, (_, index) => ({ name: `d${index}` })) },
    ['spec.devices: Too many: 129: must have at most 128 items'],
  ],
  'an attribute with two values, and one with none': [
    one({ attributes: { a: { int: 1, bool: true }, b: {} } }),
    [
      'spec.devices[0].attributes[a]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified',
      'spec.devices[0].attributes[b]: Invalid value: "": exactly one value must be specified',
    ],
  ],
  'a version that is none': [
    one({ attributes: { v: { version: '01.2' } } }),
    [
      'spec.devices[0].attributes[v].version: Invalid value: "01.2": must be a string compatible with semver.org spec 2.0.0',
    ],
  ],
  'names that are none': [
    one({ attributes: { 'a-b': { int: 1 }, 'x/y/z': { int: 1 } } }),
    [
      `spec.devices[0].attributes: Invalid value: "a-b": a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')`,
      'spec.devices[0].attributes: Invalid value: "x/y/z": must not contain more than one slash',
    ],
  ],
  'a taint without an effect': [
    one({ taints: [{ key: 'broken' }] }),
    ['spec.devices[0].taints[0].effect: Required value'],
  ],
  'a device’s own place where there is none': [
    one({ nodeName: 'n1' }),
    [
      'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
    ],
  ],
  'a device without its place': [
    { nodeName: undefined, perDeviceNodeSelection: true },
    [
      'spec.devices[0]: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
    ],
  ],
  'conditions without failures': [
    one({ bindingConditions: ['Attached'] }),
    [
      'spec.devices[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions',
    ],
  ],
  'a policy for a device that is had alone': [
    one({ capacity: { memory: { value: '1Gi', requestPolicy: { default: '1Gi' } } } }),
    ['spec.devices[0].capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true'],
  ],
  'a policy of steps': [shared({ default: '1Gi', validRange: { min: '1Gi', max: '5Gi', step: '2Gi' } }), []],
  'steps that miss the end': [
    shared({ default: '1Gi', validRange: { min: '1Gi', max: '4Gi', step: '2Gi' } }),
    [
      'spec.devices[0].capacity[memory].requestPolicy.validRange.step: Invalid value: "4Gi": value is not a multiple of a given step (2Gi) from (1Gi)',
    ],
  ],
  'values out of order, of which none is the default': [
    shared({ default: '3Gi', validValues: ['2Gi', '1Gi'] }),
    [
      'spec.devices[0].capacity[memory].requestPolicy.validValues[1]: Invalid value: "1Gi": values must be sorted in ascending order',
      'spec.devices[0].capacity[memory].requestPolicy.validValues: Invalid value: "3Gi": default value is not valid according to the requestPolicy',
    ],
  ],
}

for (const [title, [more, expected]] of Object.entries(slices)) {
  test(`slices: ${title}`, () => assert.deepEqual(texts(validateCreate(slice(more), false)), expected))
}

test('a slice stays with its driver, pool and node', () => {
  const now = slice({ driver: 'x.example.com', nodeName: 'n2' })
  assert.deepEqual(texts(validateUpdate(now, slice())), [
    'spec.driver: Invalid value: "x.example.com": field is immutable',
    'spec.nodeName: Invalid value: "n2": field is immutable',
  ])
})

const deviceClass = (spec: object) => object('DeviceClass', spec)
const selectors = (expression: string) => ({ selectors: [{ cel: { expression } }] })

test('expressions are compiled when a class is made', () => {
  assert.deepEqual(texts(validateCreate(deviceClass(selectors('device.driver == "x"')), false)), [])
  assert.deepEqual(texts(validateCreate(deviceClass(selectors('device.name == "x"')), false)), [
    `spec.selectors[0].cel.expression: Invalid value: "device.name == \\"x\\"": compilation failed: ERROR: <input>:1:7: undefined field 'name'\n | device.name == "x"\n | ......^`,
  ])
  assert.deepEqual(texts(validateCreate(deviceClass(selectors('device.driver')), false)), [
    'spec.selectors[0].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string',
  ])
})

test('expressions that the server has taken before are not compiled again', () => {
  const old = deviceClass(selectors('device.gone == 1'))
  assert.deepEqual(texts(validateUpdate(deviceClass(selectors('device.gone == 1')), old)), [])
  assert.equal(validateUpdate(deviceClass(selectors('device.gone == 2')), old).length, 1)
})

test('an extended resource has a domain', () => {
  assert.deepEqual(texts(validateCreate(deviceClass({ extendedResourceName: 'example.com/gpu' }), false)), [])
  assert.deepEqual(texts(validateCreate(deviceClass({ extendedResourceName: 'gpu' }), false)), [
    'spec.extendedResourceName: Invalid value: "gpu": must be a valid extended resource name',
  ])
})

const spec = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } }
const allocation = (device = 'a', more: object = {}) => ({
  devices: { results: [{ request: 'gpu', driver: 'gpu.example.com', pool: 'n1', device, ...more }] },
})
const consumer = { resource: 'pods', name: 'web', uid: 'u1' }

const statuses: Record<string, [object, object, string[]]> = {
  'devices and a consumer': [{}, { allocation: allocation(), reservedFor: [consumer] }, []],
  'a consumer without devices': [
    {},
    { reservedFor: [consumer] },
    ['status.reservedFor: Forbidden: may not be specified when `allocated` is not set'],
  ],
  'the same consumer twice': [
    { allocation: allocation() },
    { allocation: allocation(), reservedFor: [consumer, consumer] },
    ['status.reservedFor[1]: Duplicate value: "u1"'],
  ],
  'a request that is not there': [
    {},
    { allocation: allocation('a', { request: 'nic' }) },
    [
      'status.allocation.devices.results[0].request: Invalid value: "nic": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
    ],
  ],
  'what a driver says of its device': [
    { allocation: allocation() },
    {
      allocation: allocation(),
      devices: [{ driver: 'gpu.example.com', pool: 'n1', device: 'a', data: { temperature: 40 } }],
    },
    [],
  ],
  'what a driver says of another device': [
    { allocation: allocation() },
    { allocation: allocation(), devices: [{ driver: 'gpu.example.com', pool: 'n1', device: 'b' }] },
    ['status.devices[0]: Invalid value: "gpu.example.com/n1/b": must be an allocated device in the claim'],
  ],
  'no devices any more': [{ allocation: allocation(), reservedFor: [consumer] }, {}, []],
}

for (const [title, [before, after, expected]] of Object.entries(statuses)) {
  test(`statuses of claims: ${title}`, () => {
    const [old, now] = [object('ResourceClaim', spec, before), object('ResourceClaim', spec, after)]
    assert.deepEqual(texts(validateUpdate(now, old, 'status')), expected)
  })
}

test('devices that a claim has are not exchanged', () => {
  const [old, now] = [allocation('a'), allocation('b')].map(given =>
    object('ResourceClaim', spec, { allocation: given }),
  )
  assert.deepEqual(
    validateUpdate(now!, old!, 'status').map(({ field }) => field),
    ['status.allocation'],
  )
})
