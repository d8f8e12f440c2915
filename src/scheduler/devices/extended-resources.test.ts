import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { NodeInfo } from '../state/node-info.ts'
import { deviceClass, devicesOf } from '../testing/devices.fixture.ts'
import { node, pod } from '../testing/scheduling.fixture.ts'
import { classOfResource, extendedOnNode, extendedResourcesOf } from './extended-resources.ts'

const GPU = 'example.com/gpu'
const dated = (name: string, creationTimestamp: string) => {
  const made = deviceClass(name, { extendedResourceName: GPU })
  return { ...made, metadata: { ...made.metadata, creationTimestamp } }
}

test('of several classes for a resource the newest counts, then the first by name', () => {
  const classes = [
    dated('old', '2026-01-01T00:00:00Z'),
    dated('b', '2026-02-01T00:00:00Z'),
    dated('a', '2026-02-01T00:00:00Z'),
  ]
  assert.equal(classOfResource(GPU, devicesOf({ classes }))?.metadata.name, 'a')
})

test('every class can be asked for by its name', () => {
  const objects = devicesOf({ classes: [deviceClass('gpu')] })
  assert.equal(classOfResource('deviceclass.resource.kubernetes.io/gpu', objects)?.metadata.name, 'gpu')
  assert.equal(classOfResource('deviceclass.resource.kubernetes.io/nic', objects), undefined)
})

const container = (name: string, gpus: number, more: Partial<Container> = {}): Container =>
  ({
    name,
    image: 'x',
    resources: gpus ? { requests: { cpu: '1', [GPU]: String(gpus) } } : {},
    ...more,
  }) as Container

interface Case {
  initContainers?: Container[]
  containers: Container[]
  allocatable?: Record<string, string>
  /** 'request=count', then 'container→request'; or why not. */
  expected: string[]
}

const cases: Record<string, Case> = {
  'each container has a request of its own': {
    containers: [container('a', 1), container('b', 2), container('c', 0)],
    expected: [
      'container-0-request-1=1',
      'container-1-request-1=2',
      'a→container-0-request-1',
      'b→container-1-request-1',
    ],
  },
  'an init container uses what later ones have': {
    initContainers: [container('init', 1)],
    containers: [container('a', 2)],
    expected: ['container-1-request-1=2', 'a→container-1-request-1', 'init→container-1-request-1'],
  },
  'init containers share what they need beyond': {
    initContainers: [container('one', 3), container('two', 5)],
    containers: [container('a', 1)],
    expected: [
      'container-1-request-1=4',
      'container-2-request-1=1',
      'a→container-2-request-1',
      'one→container-2-request-1',
      'one→container-1-request-1',
      'two→container-2-request-1',
      'two→container-1-request-1',
    ],
  },
  'a sidecar keeps its own': {
    initContainers: [container('side', 1, { restartPolicy: 'Always' })],
    containers: [container('a', 1)],
    expected: [
      'container-0-request-1=1',
      'container-1-request-1=1',
      'side→container-0-request-1',
      'a→container-1-request-1',
    ],
  },
  'a node with a plugin for it needs no claim': {
    containers: [container('a', 1)],
    allocatable: { [GPU]: '4' },
    expected: ['none'],
  },
}

for (const [title, { initContainers = [], containers, allocatable = {}, expected }] of Object.entries(
  cases,
)) {
  test(`extended resources: ${title}`, () => {
    const objects = devicesOf({ classes: [deviceClass('gpu', { extendedResourceName: GPU })] })
    const asking: Pod = pod('p', { spec: { initContainers, containers } })
    const found = extendedResourcesOf(asking, objects)
    const own = extendedOnNode(asking, found!, new NodeInfo(node('n1', { allocatable })), objects)
    if (own === 'none' || 'reason' in own) return assert.deepEqual([own], expected)
    const { claim, mappings } = own.claim
    assert.deepEqual(
      [
        ...claim.spec.devices.requests.map(({ name, exactly }) => `${name}=${exactly!.count}`),
        ...mappings.map(({ containerName, requestName }) => `${containerName}→${requestName}`),
      ],
      expected,
    )
  })
}

test('a Pod that asks for nothing with a class has nothing to do with devices', () => {
  const objects = devicesOf({ classes: [deviceClass('gpu')] })
  assert.equal(extendedResourcesOf(pod('p', { requests: { [GPU]: '1' } }), objects), undefined)
})
