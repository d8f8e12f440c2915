import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../api/types/core-v1.ts'
import type { IPAddress, ServiceCIDR } from '../../api/types/networking-v1.ts'
import {
  type AddressRepair,
  addressFor,
  decideServiceAddresses,
  judgeAddress,
  type OrphanVerdict,
} from './decide-ip-address-repair.ts'

const IP = '10.96.0.20'
const NOW = Date.parse('2026-01-01T00:10:00Z')
const MADE = '2026-01-01T00:00:00Z'

const service = (name: string, ips: string[] = [IP], type = 'ClusterIP'): Service =>
  ({ metadata: { name, namespace: 'ns' }, spec: { type, clusterIPs: ips } }) as Service
const web = service('web')

interface Shape {
  parent?: object
  labels?: Record<string, string>
  madeAt?: string
}

function address({ parent = {}, labels = {}, madeAt = MADE }: Shape = {}): IPAddress {
  const { metadata, spec } = addressFor(IP, web)
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      ...metadata,
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: madeAt,
      labels: { ...metadata.labels, ...labels },
    },
    spec: { parentRef: { ...spec.parentRef, ...parent } },
  }
}

const range = { metadata: { name: 'r' }, spec: { cidrs: ['10.96.0.0/16'] } } as ServiceCIDR
const gateway = { parent: { group: 'example.com', resource: 'gateways', name: 'g' } }
const ofOther = { parent: { name: 'other' } }
const wrong = {
  reason: 'ClusterIPNotAllocated',
  note: `the ClusterIP [IPv4]: ${IP} for Service ns/web has a wrong reference; repairing`,
}
const twice = {
  reason: 'ClusterIPAlreadyAllocated',
  note: `Cluster IP [IPv4]:${IP} was assigned to multiple services; please recreate service`,
}

interface Case {
  of?: Service
  stored?: Shape | 'none'
  others?: Service[]
  cidrs?: ServiceCIDR[]
  expected: AddressRepair[]
}

const cases: Record<string, Case> = {
  'both point at each other': { expected: [] },
  'an external name needs none': {
    of: service('web', [IP], 'ExternalName'),
    stored: 'none',
    expected: [],
  },
  'a headless Service needs none': { of: service('web', ['None']), stored: 'none', expected: [] },
  'none there: made': {
    stored: 'none',
    expected: [
      {
        ip: IP,
        object: 'create',
        report: {
          reason: 'ClusterIPNotAllocated',
          note: `Cluster IP [IPv4]: ${IP} is not allocated; repairing`,
        },
      },
    ],
  },
  'an address of no range is told of, whatever stands for it': {
    stored: 'none',
    cidrs: [],
    expected: [
      {
        ip: IP,
        object: 'keep',
        report: {
          reason: 'ClusterIPOutOfRange',
          note: `Cluster IP [IPv4]: ${IP} is not within any configured Service CIDR; please recreate service`,
        },
      },
    ],
  },
  'it stands for something else': {
    stored: gateway,
    expected: [{ ip: IP, object: 'recreate', report: wrong }],
  },
  'it stands for a Service that is not there': {
    stored: ofOther,
    expected: [{ ip: IP, object: 'recreate', report: wrong }],
  },
  'two Services have the address': {
    stored: ofOther,
    others: [service('other')],
    expected: [{ ip: IP, object: 'keep', report: twice }],
  },
  'its labels are not the allocator’s': {
    stored: { labels: { 'ipaddress.kubernetes.io/managed-by': 'me' } },
    expected: [{ ip: IP, object: 'recreate' }],
  },
  'its family is not that of the address': {
    stored: { labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv6' } },
    expected: [{ ip: IP, object: 'recreate' }],
  },
}

for (const [title, { of = web, stored = {}, others = [], cidrs = [range], expected }] of Object.entries(
  cases,
)) {
  test(`addresses of a Service: ${title}`, () => {
    const known = [of, ...others]
    const world = {
      address: () => (stored === 'none' ? undefined : address(stored)),
      service: (key: string) => known.find(({ metadata }) => key === `ns/${metadata.name}`),
      cidrs,
    }
    assert.deepEqual(decideServiceAddresses(of, world), expected)
  })
}

const young = { madeAt: '2026-01-01T00:09:30Z' }
const orphans: Record<string, [Shape, Service | undefined, OrphanVerdict]> = {
  'that its Service holds stays': [{}, web, 'keep'],
  'of somebody else stays': [
    { ...gateway, labels: { 'ipaddress.kubernetes.io/managed-by': 'gw' } },
    undefined,
    'keep',
  ],
  'that was turned to something else goes': [
    gateway,
    undefined,
    {
      reason: 'IPAddressNotAllocated',
      note: `IPAddress ${IP} appears to have been modified, not referencing a Service &ParentReference{Group:example.com,Resource:gateways,Namespace:ns,Name:g,}: cleaning up`,
    },
  ],
  'whose Service may still be on its way waits': [young, undefined, { waitMs: 30_000 }],
  'whose Service may still be about to take it waits': [young, service('web', []), { waitMs: 30_000 }],
  'of nobody goes': [
    {},
    undefined,
    {
      reason: 'IPAddressNotAllocated',
      note: `IPAddress: ${IP} for Service ns/web appears to have leaked: cleaning up`,
    },
  ],
  'that its Service does not hold goes': [
    {},
    service('web', ['10.96.0.21']),
    {
      reason: 'IPAddressWrongReference',
      note: `IPAddress: ${IP} for Service ns/web has a wrong reference; cleaning up`,
    },
  ],
}

for (const [title, [shape, holder, expected]] of Object.entries(orphans))
  test(`an IPAddress ${title}`, () => assert.deepEqual(judgeAddress(address(shape), holder, NOW), expected))
