import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndpointSubset, Endpoints, Pod, Service } from '../../api/types/core-v1.ts'
import { type PodShape, pod, service } from '../endpoint-slice/slices.fixture.ts'
import { decideEndpoints } from './decide-endpoints.ts'
import { repackSubsets } from './repack-subsets.ts'
import { truncateSubsets } from './truncate-subsets.ts'

const decide = (of: Service, some: readonly Pod[], present?: Endpoints) =>
  decideEndpoints({ service: of, pods: some, present, triggerTime: '2026-01-01T00:00:00Z' })

const shown = (subsets: readonly EndpointSubset[] = []) =>
  subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) => ({
    ready: addresses.map(({ ip }) => ip),
    notReady: notReadyAddresses.map(({ ip }) => ip),
    ports: ports.map(({ port }) => port),
  }))

const memberships: Record<string, [PodShape, Partial<Service['spec']>, 'ready' | 'notReady' | 'absent']> = {
  'a ready pod': [{}, {}, 'ready'],
  'a pod that is not ready': [{ ready: false }, {}, 'notReady'],
  'a pod that terminates': [{ deleting: true }, {}, 'absent'],
  'a pod that terminates, published anyway': [
    { deleting: true },
    { publishNotReadyAddresses: true },
    'ready',
  ],
  'a pod without an address': [{ ip: '' }, {}, 'absent'],
  'a pod that failed': [{ phase: 'Failed' }, { publishNotReadyAddresses: true }, 'absent'],
}

for (const [title, [shape, spec, expected]] of Object.entries(memberships)) {
  test(`endpoints: ${title}`, () => {
    const [subset] = shown(decide(service(spec), [pod(shape)])?.subsets)
    const where = subset ? (subset.ready.length > 0 ? 'ready' : 'notReady') : 'absent'
    assert.equal(where, expected)
  })
}

test('the object carries the Service’s labels, whose it is, and when the change happened', () => {
  const made = decide(service({ clusterIP: 'None' }, { tier: 'front' }), [pod()])!
  assert.deepEqual(made.metadata.labels, {
    tier: 'front',
    'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
    'service.kubernetes.io/headless': '',
  })
  assert.deepEqual(made.metadata.annotations, {
    'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z',
  })
})

test('nothing is written when nothing changed', () => {
  const made = decide(service(), [pod()]) as Endpoints
  assert.equal(decide(service(), [pod()], made), undefined)
  assert.ok(decide(service(), [pod({ ready: false })], made))
  assert.ok(decide(service({}, { tier: 'x' }), [pod()], made))
})

test('a headless Service without ports shows addresses alone', () => {
  const made = decide(service({ clusterIP: 'None', ports: [] }), [pod()])
  assert.deepEqual(shown(made?.subsets), [{ ready: ['10.244.0.2'], notReady: [], ports: [] }])
})

test('addresses that offer the same ports are one subset; not ready wins', () => {
  const at = (ip: string) => ({ ip })
  const port = (number: number) => ({ port: number, protocol: 'TCP' as const })
  const packed = repackSubsets([
    { addresses: [at('10.0.0.2')], ports: [port(80)] },
    { addresses: [at('10.0.0.1')], ports: [port(80), port(81)] },
    { addresses: [at('10.0.0.2')], ports: [port(81)] },
    { notReadyAddresses: [at('10.0.0.1')], ports: [port(80)] },
    { addresses: [at('10.0.0.3')], ports: [] },
  ])
  const inOrder = shown(packed).toSorted((a, b) => (a.ports[0] ?? 0) - (b.ports[0] ?? 0))
  assert.deepEqual(inOrder, [
    { ready: ['10.0.0.3'], notReady: [], ports: [] },
    { ready: ['10.0.0.2'], notReady: ['10.0.0.1'], ports: [80] },
    { ready: ['10.0.0.1', '10.0.0.2'], notReady: [], ports: [81] },
  ])
})

test('a thousand addresses at most, ready ones first', () => {
  const list = (count: number, from: number) =>
    Array.from({ length: count }, (_, index) => ({ ip: `10.0.${from}.${index}` }))
  const count = (subsets: EndpointSubset[]) =>
    subsets.map(({ addresses = [], notReadyAddresses = [] }) => [addresses.length, notReadyAddresses.length])
  const small = [{ addresses: list(5, 0) }]
  assert.equal(truncateSubsets(small, 5), small)
  assert.deepEqual(
    count(
      truncateSubsets(
        [{ addresses: list(6, 0) }, { addresses: list(3, 1), notReadyAddresses: list(4, 2) }],
        6,
      ),
    ),
    [
      [4, 0],
      [2, 0],
    ],
  )
  assert.deepEqual(count(truncateSubsets([{ addresses: list(4, 0), notReadyAddresses: list(6, 3) }], 6)), [
    [4, 2],
  ])
})
