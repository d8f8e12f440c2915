import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeviceRequest, ResourceClaim } from '../types/resource-v1.ts'
import { deviceUsage, isDeviceResource } from './device-usage.ts'

const exactly = (deviceClassName: string, count: number, allocationMode = 'ExactCount') => ({
  deviceClassName,
  allocationMode,
  count,
})
const ITSELF = ['count/resourceclaims.resource.k8s.io', '1']
const devices = (deviceClass: string, count: number) => [
  `${deviceClass}.deviceclass.resource.k8s.io/devices`,
  String(count),
]

const cases: Record<string, [DeviceRequest[], string[][]]> = {
  'of one class, in two requests': [
    [
      { name: 'a', exactly: exactly('gpu', 2) },
      { name: 'b', exactly: exactly('gpu', 1) },
    ],
    [ITSELF, devices('gpu', 3)],
  ],
  'all that there are': [[{ name: 'a', exactly: exactly('gpu', 0, 'All') }], [ITSELF, devices('gpu', 32)]],
  'whichever alternative it will be': [
    [
      {
        name: 'a',
        firstAvailable: [
          { name: 'one', ...exactly('large', 1) },
          { name: 'two', ...exactly('small', 4) },
          { name: 'three', ...exactly('small', 2) },
        ],
      },
    ],
    [ITSELF, devices('large', 1), devices('small', 4)],
  ],
}

for (const [title, [requests, expected]] of Object.entries(cases)) {
  test(`quotas count devices: ${title}`, () => {
    const usage = deviceUsage({ spec: { devices: { requests } } } as ResourceClaim)
    assert.deepEqual(
      [...usage].map(([name, amount]) => [name, amount.toString()]),
      expected,
    )
    assert.ok([...usage.keys()].every(isDeviceResource))
  })
}
