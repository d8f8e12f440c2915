import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../api/types/core-v1.ts'
import type { EndpointSlice } from '../api/types/discovery-v1.ts'
import { compileService } from './compile-service.ts'
import { endpoint, service, shown, slice } from './services.fixture.ts'

const one = [slice([endpoint('10.0.0.1')])]
const far = [slice([endpoint('10.0.0.1', { nodeName: 'there' })])]
const labelled = (label: string): Service => {
  const made = service()
  made.metadata.labels = { [label]: '' }
  return made
}
const balancer = (spec: Partial<Service['spec']>): Service => {
  const made = service({ type: 'LoadBalancer', ...spec })
  made.status.loadBalancer = {
    ingress: [
      { ip: '192.0.2.9', ipMode: 'VIP' },
      { ip: '192.0.2.8', ipMode: 'Proxy' },
    ],
  }
  return made
}
const base = ['cluster-ips 10.96.0.20', 'hairpin 10.0.0.1 10.0.0.1']
const inside = [
  ...base,
  'endpoints 10.96.0.20:80/tcp 0 -> 10.0.0.1:8080',
  'hidden 10.96.0.20:80/tcp -> masquerade-foreign',
  'services 10.96.0.20:80/tcp -> pick-1',
]

const cases: Record<string, [Service, EndpointSlice[], string[]]> = {
  'a cluster address with one endpoint': [service(), one, inside],
  'nobody there: refused': [service(), [], ['cluster-ips 10.96.0.20', 'refused 10.96.0.20:80/tcp -> refuse']],
  'headless Services need nothing': [service({ clusterIP: 'None' }), one, []],
  'external names neither': [service({ type: 'ExternalName', clusterIP: '' }), one, []],
  'another proxy’s': [labelled('service.kubernetes.io/service-proxy-name'), one, []],
  'nobody’s': [labelled('service.kubernetes.io/headless'), one, []],
  'node ports hide clients': [
    service({ type: 'NodePort', ports: [{ port: 80, protocol: 'TCP', nodePort: 30_080 }] }),
    one,
    [
      ...inside,
      'hidden-node-ports *:30080/tcp -> masquerade-all',
      'node-endpoints *:30080/tcp 0 -> 10.0.0.1:8080',
      'node-ports *:30080/tcp -> pick-node-1',
    ],
  ],
  'local node ports show them, and discard what has nobody here': [
    service({
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      ports: [{ port: 80, protocol: 'TCP', nodePort: 30_080 }],
    }),
    far,
    [...inside, 'refused-node-ports *:30080/tcp -> discard'],
  ],
  'traffic inside may be local, too': [
    service({ internalTrafficPolicy: 'Local' }),
    far,
    [...base, 'refused 10.96.0.20:80/tcp -> discard'],
  ],
  'external addresses': [
    service({ externalIPs: ['203.0.113.5', 'fd00::5'] }),
    one,
    [
      ...inside,
      'endpoints 203.0.113.5:80/tcp 0 -> 10.0.0.1:8080',
      'hidden 203.0.113.5:80/tcp -> masquerade-all',
      'services 203.0.113.5:80/tcp -> pick-1',
    ],
  ],
  'a balancer’s address lets in its source ranges only': [
    balancer({ loadBalancerSourceRanges: ['10.1.2.0/24', '10.1.0.0/16', ' 10.2.3.4/32', 'fd00::/8', 'x'] }),
    one,
    [
      ...inside,
      'endpoints 192.0.2.9:80/tcp 0 -> 10.0.0.1:8080',
      'hidden 192.0.2.9:80/tcp -> masquerade-all',
      'restricted 192.0.2.9:80/tcp',
      'services 192.0.2.9:80/tcp -> pick-1',
      'sources 192.0.2.9:80/tcp 10.1.0.0-10.1.255.255',
      'sources 192.0.2.9:80/tcp 10.2.3.4-10.2.3.4',
    ],
  ],
  'clients are remembered for as long as asked': [
    service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 90 } } }),
    one,
    [...inside, 'keep 10.96.0.20:80/tcp -> keep-90'],
  ],
  'protocols are kept apart': [
    service({ ports: [{ port: 53, protocol: 'UDP', name: 'u' }] }),
    [slice([endpoint('10.0.0.1')], { ports: [{ name: 'u', port: 5353, protocol: 'UDP' }] })],
    [
      ...base,
      'endpoints 10.96.0.20:53/udp 0 -> 10.0.0.1:5353',
      'hidden 10.96.0.20:53/udp -> masquerade-foreign',
      'services 10.96.0.20:53/udp -> pick-1',
    ],
  ],
}

for (const [title, [made, slices, expected]] of Object.entries(cases)) {
  test(`maps: ${title}`, () =>
    assert.deepEqual(shown(compileService(made, slices, { nodeName: 'here' })), expected.toSorted()))
}
