import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyDefaults } from '../defaults/defaults.ts'
import type { KubeObject } from '../kube-object.ts'
import { validateCreate, validateUpdate } from './validation.ts'

const claim = (devices: object): KubeObject =>
  ({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      name: 'c',
      namespace: 'n',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { devices },
    status: {},
  }) as KubeObject

const exactly = (more: object = {}) => ({
  name: 'gpu',
  exactly: { deviceClassName: 'gpu.example.com', allocationMode: 'ExactCount', count: 1, ...more },
})

const cases: Record<string, [object, string[]]> = {
  'one device of a class': [{ requests: [exactly()] }, []],
  'neither one way nor the other': [
    { requests: [{ name: 'gpu' }] },
    ['spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required'],
  ],
  'a class without a name, and no device': [
    { requests: [exactly({ deviceClassName: '', count: 0 })] },
    [
      'spec.devices.requests[0].exactly.deviceClassName: Required value',
      'spec.devices.requests[0].exactly.count: Invalid value: 0: must be greater than zero',
    ],
  ],
  'all, and a number': [
    { requests: [exactly({ allocationMode: 'All' })] },
    [
      "spec.devices.requests[0].exactly.count: Invalid value: 1: must not be specified when allocationMode is 'All'",
    ],
  ],
  'an unknown mode': [
    { requests: [exactly({ allocationMode: 'Some' })] },
    [
      'spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"',
    ],
  ],
  'two of a name': [
    { requests: [exactly(), exactly()] },
    ['spec.devices.requests[1]: Duplicate value: "gpu"'],
  ],
  'a constraint for a request that is not there': [
    { requests: [exactly()], constraints: [{ requests: ['cpu'], matchAttribute: 'x/y' }] },
    [
      'spec.devices.constraints[0].requests[0]: Invalid value: "cpu": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
    ],
  ],
}

for (const [title, [devices, expected]] of Object.entries(cases)) {
  test(`claims for devices: ${title}`, () => {
    const errors = validateCreate(claim(devices), true)
    assert.deepEqual(
      errors.map(error => `${error.field}: ${error.message}`),
      expected,
    )
  })
}

test('what a request leaves out is one device of its class', () => {
  const given = claim({ requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] })
  applyDefaults(given)
  assert.deepEqual((given as { spec?: unknown }).spec, { devices: { requests: [exactly()] } })
})

test('a claim stays what it was', () => {
  const [now, old] = [claim({ requests: [exactly({ count: 2 })] }), claim({ requests: [exactly()] })]
  const errors = validateUpdate(now, old)
  assert.deepEqual(
    errors.map(({ field }) => field),
    ['spec'],
  )
})
