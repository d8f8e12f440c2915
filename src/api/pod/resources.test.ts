import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from '../types/core-v1.ts'
import { qosClass } from './qos.ts'
import { podLimits, podRequests } from './resources.ts'

interface Shape {
  apps?: Record<string, string>[]
  inits?: (Record<string, string> & { sidecar?: string })[]
  overhead?: Record<string, string>
  podLevel?: Record<string, string>
}

function spec(
  { apps = [], inits = [], overhead, podLevel }: Shape,
  field: 'requests' | 'limits' = 'requests',
): PodSpec {
  return {
    containers: apps.map((amounts, index) => ({ name: `app-${index}`, resources: { [field]: amounts } })),
    initContainers: inits.map(({ sidecar, ...amounts }, index) => ({
      name: `init-${index}`,
      resources: { [field]: amounts },
      ...(sidecar && { restartPolicy: 'Always' }),
    })),
    ...(overhead && { overhead }),
    ...(podLevel && { resources: { [field]: podLevel } }),
  } as unknown as PodSpec
}

const cases: Record<string, [Shape, Record<string, string>]> = {
  'apps are added up': [
    { apps: [{ cpu: '100m' }, { cpu: '200m', memory: '1Gi' }] },
    { cpu: '300m', memory: '1Gi' },
  ],
  'the largest init container counts when it needs more than the apps': [
    { apps: [{ cpu: '100m' }], inits: [{ cpu: '500m' }, { cpu: '300m' }] },
    { cpu: '500m' },
  ],
  'the example of the specification: app 100m, init 500m, sidecar 200m, init 300m': [
    { apps: [{ cpu: '100m' }], inits: [{ cpu: '500m' }, { cpu: '200m', sidecar: 'yes' }, { cpu: '300m' }] },
    { cpu: '500m' },
  ],
  'sidecars run beside the apps': [
    {
      apps: [{ cpu: '1' }],
      inits: [
        { cpu: '1', sidecar: 'yes' },
        { cpu: '500m', sidecar: 'yes' },
      ],
    },
    { cpu: '2500m' },
  ],
  'overhead comes on top': [
    { apps: [{ cpu: '1' }], overhead: { cpu: '250m', memory: '10Mi' } },
    { cpu: '1250m', memory: '10Mi' },
  ],
  'pod-level values replace the sum': [
    { apps: [{ cpu: '1' }], podLevel: { cpu: '3', 'example.com/x': '9' } },
    { cpu: '3' },
  ],
}

for (const [name, [shape, expected]] of Object.entries(cases)) {
  test(name, () => {
    const amounts = Object.fromEntries(
      [...podRequests({ spec: spec(shape) })].map(([key, amount]) => [key, amount.toString()]),
    )
    assert.deepEqual(amounts, expected)
  })
}

test('overhead does not make a limit where there is none', () => {
  const limits = podLimits({
    spec: spec({ apps: [{ memory: '1Gi' }], overhead: { cpu: '1', memory: '1Gi' } }, 'limits'),
  })
  assert.deepEqual(
    [...limits].map(([name, amount]) => [name, `${amount}`]),
    [['memory', '2Gi']],
  )
})

const full = { cpu: '1', memory: '1Gi' }
const qos: Record<string, [object[], string]> = {
  'nothing asked': [[{}], 'BestEffort'],
  'zero is nothing': [[{ requests: { cpu: '0' } }], 'BestEffort'],
  'only ephemeral storage': [[{ requests: { 'ephemeral-storage': '1Gi' } }], 'BestEffort'],
  'limits equal requests everywhere': [[{ requests: full, limits: full }, { limits: full }], 'Burstable'],
  'limits equal requests for each container': [[{ requests: full, limits: full }], 'Guaranteed'],
  'a container without limits': [[{ requests: full, limits: full }, {}], 'Burstable'],
  'requests below limits': [[{ requests: { cpu: '500m', memory: '1Gi' }, limits: full }], 'Burstable'],
}

for (const [name, [resources, expected]] of Object.entries(qos)) {
  test(`${name}: ${expected}`, () => {
    const containers = resources.map(part => ({ name: 'c', resources: part }))
    assert.equal(qosClass({ containers } as unknown as PodSpec), expected)
  })
}
