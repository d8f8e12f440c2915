import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../api/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/types/discovery-v1.ts'
import { serviceEntry } from './service-entry.ts'

const meta = { name: 'web', namespace: 'a', uid: '', creationTimestamp: '', resourceVersion: '' }
const service = (spec: Service['spec']): Service => ({ metadata: meta, spec, status: {} }) as Service
const slice = (more: Partial<Omit<EndpointSlice, 'apiVersion' | 'kind'>>): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: meta,
  addressType: 'IPv4',
  endpoints: [],
  ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  ...more,
})
type Given = Partial<Endpoint> & Pick<Endpoint, 'addresses'>
const list = (...endpoints: Given[]): Endpoint[] => endpoints.map(one => ({ conditions: {}, ...one }))
const http = { name: 'http', protocol: 'tcp', port: 8080 }
const labels = (spec: Service['spec'], ...slices: EndpointSlice[]) => {
  const entry = serviceEntry(service(spec), slices)
  return entry && entry.kind !== 'external' ? entry.endpoints.map(({ label }) => label) : undefined
}

test('a Service with cluster IPs has its own ports, in lower case', () => {
  const entry = serviceEntry(
    service({
      clusterIP: '10.96.0.7',
      clusterIPs: ['10.96.0.7', 'fd00::7'],
      ports: [{ name: 'DNS', port: 53, protocol: 'UDP' }, { port: 80 }],
    }),
    [],
  )
  assert.deepEqual(entry, {
    kind: 'cluster',
    namespace: 'a',
    name: 'web',
    addresses: ['10.96.0.7', 'fd00::7'],
    ports: [
      { name: 'dns', protocol: 'udp', port: 53 },
      { name: '', protocol: 'tcp', port: 80 },
    ],
    endpoints: [],
  })
})

test('an endpoint is known by its hostname, or by its address with dashes', () => {
  const entry = serviceEntry(service({ clusterIP: 'None' }), [
    slice({ endpoints: list({ addresses: ['10.1.0.2'], hostname: 'Web-0' }, { addresses: ['10.1.0.3'] }) }),
    slice({ addressType: 'IPv6', endpoints: list({ addresses: ['fd00::3'] }) }),
  ])
  assert.deepEqual(entry?.kind === 'headless' && entry.endpoints, [
    { label: 'web-0', address: '10.1.0.2', ports: [http] },
    { label: '10-1-0-3', address: '10.1.0.3', ports: [http] },
    { label: 'fd00--3', address: 'fd00::3', ports: [http] },
  ])
})

test('only ready endpoints are there, unless the Service publishes the others too', () => {
  const endpoints = list(
    { addresses: ['10.1.0.1'], conditions: { ready: true } },
    { addresses: ['10.1.0.2'], conditions: { ready: false } },
    { addresses: ['10.1.0.3'] },
    { addresses: ['10.1.0.4'], conditions: { ready: false, serving: true, terminating: true } },
  )
  assert.deepEqual(labels({ clusterIP: 'None' }, slice({ endpoints })), ['10-1-0-1', '10-1-0-3'])
  assert.deepEqual(labels({ clusterIP: 'None', publishNotReadyAddresses: true }, slice({ endpoints })), [
    '10-1-0-1',
    '10-1-0-2',
    '10-1-0-3',
    '10-1-0-4',
  ])
})

test('an endpoint in two slices counts once, with the ports of both', () => {
  const endpoints = list({ addresses: ['10.1.0.1'] })
  const entry = serviceEntry(service({ clusterIP: 'None' }), [
    slice({ endpoints }),
    slice({
      endpoints,
      ports: [
        { name: 'http', protocol: 'TCP', port: 8080 },
        { name: 'admin', protocol: 'TCP', port: 9 },
      ],
    }),
  ])
  assert.deepEqual(entry?.kind === 'headless' && entry.endpoints, [
    { label: '10-1-0-1', address: '10.1.0.1', ports: [http, { name: 'admin', protocol: 'tcp', port: 9 }] },
  ])
})

test('endpoints that are names have no addresses to tell', () => {
  assert.deepEqual(
    labels({ clusterIP: 'None' }, slice({ addressType: 'FQDN', endpoints: list({ addresses: ['x.y'] }) })),
    [],
  )
})

test('an ExternalName is an alias, without the dot at its end', () => {
  assert.deepEqual(serviceEntry(service({ type: 'ExternalName', externalName: 'DB.example.' }), []), {
    kind: 'external',
    namespace: 'a',
    name: 'web',
    target: 'db.example',
  })
})

test('a Service without an address is not known yet', () => {
  assert.equal(serviceEntry(service({ type: 'ClusterIP' }), []), undefined)
})
