import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service, ServiceSpec } from '../../types/core-v1.ts'
import type { FieldError } from '../field-error.ts'
import { validateService } from './service.ts'
import { validateServiceStatusUpdate, validateServiceUpdate } from './service-update.ts'

const base: ServiceSpec = {
  type: 'ClusterIP',
  clusterIP: '10.96.0.20',
  clusterIPs: ['10.96.0.20'],
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
  sessionAffinity: 'None',
  internalTrafficPolicy: 'Cluster',
  selector: { app: 'web' },
  ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
}
const port = base.ports![0]!
const balancer: Partial<ServiceSpec> = {
  type: 'LoadBalancer',
  externalTrafficPolicy: 'Cluster',
  allocateLoadBalancerNodePorts: true,
}
const service = (spec: Partial<ServiceSpec>, annotations: Record<string, string> = {}): Service =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'ns', annotations },
    spec: { ...base, ...spec },
    status: { loadBalancer: {} },
  }) as Service
const text = (errors: readonly FieldError[]) => errors.map(({ field, message }) => `${field}: ${message}`)

const creations: Record<string, [Partial<ServiceSpec>, ...string[]]> = {
  'a plain service is fine': [{}],
  'ports are required': [{ ports: [] }, 'spec.ports: Required value'],
  'headless services need no ports': [{ clusterIP: 'None', clusterIPs: ['None'], ports: [] }],
  'several ports need names': [
    { ports: [port, { protocol: 'TCP', port: 81, targetPort: 81 }] },
    'spec.ports[1].name: Required value',
  ],
  'port names are used once': [
    { ports: [port, { ...port, port: 81 }] },
    'spec.ports[1].name: Duplicate value: "http"',
  ],
  'ports are used once': [
    { ports: [port, { ...port, name: 'b' }] },
    'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
  ],
  'port numbers have a range': [
    { ports: [{ ...port, port: 65_536 }] },
    'spec.ports[0].port: Invalid value: 65536: must be between 1 and 65535, inclusive',
  ],
  'protocols are three': [
    { ports: [{ ...port, protocol: 'ICMP' as never }] },
    'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
  ],
  'node ports belong to other types': [
    { ports: [{ ...port, nodePort: 30_000 }] },
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ],
  'a type must be known': [
    { type: 'Other' as never },
    'spec.type: Unsupported value: "Other": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ],
  'node ports are not for headless services': [
    { type: 'NodePort', clusterIP: 'None', clusterIPs: ['None'], externalTrafficPolicy: 'Cluster' },
    'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
  ],
  'an external name needs a name': [externalName({}), 'spec.externalName: Required value'],
  'an external name has no addresses': [
    externalName({ externalName: 'a.example', clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] }),
    'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
  ],
  'an external name may end in a dot': [externalName({ externalName: 'a.example.' })],
  'affinity must be known': [
    { sessionAffinity: 'Cookie' as never },
    'spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"',
  ],
  'affinity lasts a day at most': [
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } },
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
  ],
  'no affinity, no timeout': [
    { sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } },
    'spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is None',
  ],
  'addresses must be addresses': [
    { clusterIP: 'x', clusterIPs: ['x'] },
    'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  'the first address is the address': [
    { clusterIP: '10.96.0.21' },
    'spec.clusterIPs: Invalid value: ["10.96.0.20"]: first value must match `clusterIP`',
  ],
  'addresses alone are not enough': [
    { clusterIP: '' },
    'spec.clusterIPs: Invalid value: ["10.96.0.20"]: must be empty when `clusterIP` is not specified',
  ],
  'None stands alone': [
    { clusterIP: 'None', clusterIPs: ['None', '10.96.0.20'] },
    'spec.clusterIPs: Invalid value: ["None","10.96.0.20"]: \'None\' must be the first and only value',
  ],
  'addresses match their families': [
    { ipFamilies: ['IPv6'] },
    'spec.clusterIPs[0]: Invalid value: "10.96.0.20": expected an IPv6 value as indicated by `ipFamilies[0]`',
  ],
  'families are two': [
    { ipFamilies: ['IPv5' as never] },
    'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
  ],
  'external addresses lead somewhere': [
    { externalIPs: ['127.0.0.1'], externalTrafficPolicy: 'Cluster' },
    'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  'a policy for outside needs a way in from outside': [
    { externalTrafficPolicy: 'Local' },
    'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
  ],
  'the policy inside must be known': [
    { internalTrafficPolicy: 'Near' as never },
    'spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"',
  ],
  'distributions are three': [
    { trafficDistribution: 'Far' },
    'spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameNode", "PreferSameZone"',
  ],
  'a health check port is for local balancers': [
    { ...balancer, healthCheckNodePort: 30_000 },
    "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
  ],
  'source ranges are for balancers': [
    { loadBalancerSourceRanges: ['10.0.0.0/8'] },
    "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ],
  'source ranges are ranges, with spaces around them': [
    { ...balancer, loadBalancerSourceRanges: [' 10.0.0.0/8 ', 'x'] },
    'spec.LoadBalancerSourceRanges[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  'a class is for balancers': [
    { loadBalancerClass: 'a/b' },
    "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ],
}

function externalName(spec: Partial<ServiceSpec>): Partial<ServiceSpec> {
  const none = {
    clusterIP: undefined,
    clusterIPs: undefined,
    ipFamilies: undefined,
    ipFamilyPolicy: undefined,
  }
  return { type: 'ExternalName', ports: [], ...none, ...spec } as Partial<ServiceSpec>
}

for (const [title, [spec, ...expected]] of Object.entries(creations)) {
  test(`service: ${title}`, () => assert.deepEqual(text(validateService(service(spec))), expected))
}

const updates: Record<string, [before: Partial<ServiceSpec>, after: Partial<ServiceSpec>, ...string[]]> = {
  'an address stays': [
    {},
    { clusterIP: '10.96.0.21', clusterIPs: ['10.96.0.21'] },
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.21"]: may not change once set',
  ],
  'an address does not become headless': [
    {},
    { clusterIP: 'None', clusterIPs: ['None'] },
    'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
  ],
  'an address is not unset': [
    {},
    { clusterIP: '', clusterIPs: [] },
    'spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset',
  ],
  'from an external name to an address': [externalName({ externalName: 'a.b' }), {}],
  'from an address to an external name': [{}, externalName({ externalName: 'a.b' })],
  'a family stays': [
    {},
    { ipFamilies: ['IPv6'] },
    'spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set',
  ],
  'a class stays': [
    { ...balancer, loadBalancerClass: 'a/b' },
    { ...balancer, loadBalancerClass: 'a/c' },
    'spec.loadBalancerClass: Invalid value: "a/c": may not change once set',
  ],
  'a health check port stays': [
    { ...balancer, externalTrafficPolicy: 'Local', healthCheckNodePort: 30_001 },
    { ...balancer, externalTrafficPolicy: 'Local', healthCheckNodePort: 30_002 },
    'spec.healthCheckNodePort: Forbidden: field is immutable',
  ],
}

for (const [title, [before, after, ...expected]] of Object.entries(updates)) {
  test(`service update: ${title}`, () =>
    assert.deepEqual(text(validateServiceUpdate(service(after), service(before))), expected))
}

test('a balancer’s addresses are addresses, names are names, and both are for balancers', () => {
  const wrong = service(balancer)
  wrong.status.loadBalancer.ingress = [
    { ip: '1.2.3', ipMode: 'VIP' },
    { ip: '1.2.3.4' },
    { hostname: '1.2.3.4' },
  ]
  assert.deepEqual(text(validateServiceStatusUpdate(wrong, service(balancer))), [
    'status.loadBalancer.ingress[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[1].ipMode: Required value: must be specified when `ip` is set',
    'status.loadBalancer.ingress[2].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
  ])
  const plain = service({})
  plain.status.loadBalancer.ingress = [{ ip: '1.2.3.4', ipMode: 'VIP' }]
  assert.deepEqual(text(validateServiceStatusUpdate(plain, service({}))), [
    'status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "LoadBalancer"',
  ])
})
