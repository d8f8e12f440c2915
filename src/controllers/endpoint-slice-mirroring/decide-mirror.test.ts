import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndpointSubset, Endpoints } from '../../api/types/core-v1.ts'
import type { EndpointSlice } from '../../api/types/discovery-v1.ts'
import { decideMirror } from './decide-mirror.ts'

const endpoints = (subsets: EndpointSubset[]): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: {
    name: 'web',
    namespace: 'default',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { tier: 'x' },
    annotations: {
      keep: 'me',
      'endpoints.kubernetes.io/last-change-trigger-time': 't',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
    },
  },
  subsets,
})
const port = { name: 'http', port: 80, protocol: 'TCP' as const }
const stored = (actions: ReturnType<typeof decideMirror>) =>
  actions.create.map((draft, index) => ({
    ...draft,
    metadata: { ...draft.metadata, name: `web-${index}` },
  })) as EndpointSlice[]

test('ready and not ready addresses of a subset become one slice per family', () => {
  const { create } = decideMirror(
    endpoints([
      {
        addresses: [{ ip: '10.0.0.1', hostname: 'h', nodeName: 'n' }, { ip: 'fd00::1' }],
        notReadyAddresses: [{ ip: '10.0.0.2' }],
        ports: [port],
      },
    ]),
    [],
  )
  assert.deepEqual(
    create.map(({ addressType, endpoints: list }) => [addressType, list]),
    [
      [
        'IPv4',
        [
          { addresses: ['10.0.0.1'], conditions: { ready: true }, hostname: 'h', nodeName: 'n' },
          { addresses: ['10.0.0.2'], conditions: { ready: false } },
        ],
      ],
      ['IPv6', [{ addresses: ['fd00::1'], conditions: { ready: true } }]],
    ],
  )
  assert.deepEqual(create[0]!.metadata.labels, {
    tier: 'x',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  })
  assert.deepEqual(create[0]!.metadata.annotations, { keep: 'me' })
  assert.equal(create[0]!.metadata.generateName, 'web-')
})

test('what is shown already is left alone; a change of addresses updates the slice', () => {
  const before = endpoints([{ addresses: [{ ip: '10.0.0.1' }], ports: [port] }])
  const slices = stored(decideMirror(before, []))
  const same = decideMirror(before, slices)
  assert.deepEqual([same.create, same.update, same.remove], [[], [], []])
  const after = decideMirror(endpoints([{ addresses: [{ ip: '10.0.0.2' }], ports: [port] }]), slices)
  assert.deepEqual(
    after.update.map(slice => [slice.metadata.name, slice.endpoints[0]!.addresses]),
    [['web-0', ['10.0.0.2']]],
  )
})

test('a change of ports uses the slice again', () => {
  const slices = stored(decideMirror(endpoints([{ addresses: [{ ip: '10.0.0.1' }], ports: [port] }]), []))
  const after = decideMirror(
    endpoints([{ addresses: [{ ip: '10.0.0.1' }], ports: [{ ...port, port: 81 }] }]),
    slices,
  )
  assert.deepEqual([after.create.length, after.update[0]?.ports?.[0]?.port, after.remove.length], [0, 81, 0])
})

test('addresses that are none and those beyond the limit are counted', () => {
  const addresses = ['10.0.0.1', 'x', '10.0.0.2', '10.0.0.3'].map(ip => ({ ip }))
  const { invalid, skipped, create } = decideMirror(endpoints([{ addresses, ports: [port] }]), [], 2)
  assert.deepEqual([invalid, skipped, create[0]!.endpoints.length], [1, 2, 2])
})
