import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Namespace, Pod } from '../../api/types/core-v1.ts'
import type { NetworkPolicy, NetworkPolicySpec } from '../../api/types/networking-v1.ts'
import { compilePolicies } from './compile-policies.ts'
import type { PolicyElement, PolicyMap } from './policy-layout.ts'

const pod = (name: string, ip: string, namespace = 'a', spec: Partial<Pod['spec']> = {}): Pod =>
  ({
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      containers: [{ name: 'c', ports: [{ name: 'web', containerPort: 8080, protocol: 'TCP' }] }],
      ...spec,
    },
    status: { podIP: ip, phase: 'Running' },
  }) as unknown as Pod
const namespace = (name: string) =>
  ({ metadata: { name, labels: { 'kubernetes.io/metadata.name': name } } }) as unknown as Namespace

const pods = [
  pod('web', '10.0.0.1'),
  pod('client', '10.0.0.2'),
  pod('other', '10.0.0.3', 'b'),
  pod('host', '10.0.0.9', 'a', { hostNetwork: true }),
]
const namespaces = [namespace('a'), namespace('b')]
const [WEB, CLIENT, OTHER, OUTSIDE] = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '192.0.2.7']

const number = (ip: string) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

/** As the kernel judges: is the pair among a set's elements? */
function has(
  elements: readonly PolicyElement[],
  map: PolicyMap,
  own: string,
  peer: string,
  port?: [number, number],
) {
  return elements.some(({ map: where, key, keyEnd }) => {
    if (where !== map || key.readUInt32BE(0) !== number(own)) return false
    const end = keyEnd!
    const inRange = key.readUInt32BE(4) <= number(peer) && number(peer) <= end.readUInt32BE(4)
    if (!inRange || !port) return inRange
    return key[8] === port[0] && key.readUInt16BE(12) <= port[1] && port[1] <= end.readUInt16BE(12)
  })
}

function allowed(
  elements: readonly PolicyElement[],
  from: string,
  to: string,
  port: number,
  protocol = 6,
): boolean {
  const isolated = (map: PolicyMap, ip: string) =>
    elements.some(element => element.map === map && element.key.readUInt32BE(0) === number(ip))
  const out =
    !isolated('isolated-out', from) ||
    has(elements, 'out-any', from, to) ||
    has(elements, 'out-port', from, to, [protocol, port])
  const into =
    !isolated('isolated-in', to) ||
    has(elements, 'in-any', to, from) ||
    has(elements, 'in-port', to, from, [protocol, port])
  return out && into
}

const policy = (spec: Partial<NetworkPolicySpec>, own = 'a'): NetworkPolicy =>
  ({
    metadata: { name: 'p', namespace: own },
    spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'], ...spec },
  }) as NetworkPolicy

type Try = [from: string, to: string, port: number, expected: boolean, protocol?: number]

const cases: Record<string, [NetworkPolicy[], ...Try[]]> = {
  'without policies everything goes': [[], [CLIENT!, WEB!, 80, true], [OUTSIDE!, WEB!, 80, true]],
  'a policy without rules lets nobody in, but itself': [
    [policy({})],
    [CLIENT!, WEB!, 80, false],
    [OUTSIDE!, WEB!, 80, false],
    [WEB!, WEB!, 80, true],
    [WEB!, CLIENT!, 80, true],
    [CLIENT!, OTHER!, 80, true],
  ],
  'an empty rule lets everybody in': [[policy({ ingress: [{}] })], [OUTSIDE!, WEB!, 80, true]],
  'pods of the same namespace by label': [
    [policy({ ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }] }] })],
    [CLIENT!, WEB!, 80, true],
    [OTHER!, WEB!, 80, false],
  ],
  'all pods of a namespace by its label': [
    [
      policy({
        ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'b' } } }] }],
      }),
    ],
    [CLIENT!, WEB!, 80, false],
    [OTHER!, WEB!, 80, true],
  ],
  'both selectors of a peer must match': [
    [
      policy({
        ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'other' } } }] }],
      }),
    ],
    [CLIENT!, WEB!, 80, false],
    [OTHER!, WEB!, 80, true],
    [OUTSIDE!, WEB!, 80, false],
  ],
  'a block but for a part of it': [
    [policy({ ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.0/29'] } }] }] })],
    [OUTSIDE!, WEB!, 80, false],
    ['192.0.2.8', WEB!, 80, true],
  ],
  'ports, ranges of them and protocols': [
    [
      policy({
        ingress: [
          {
            ports: [
              { port: 80, protocol: 'TCP' },
              { port: 90, endPort: 95, protocol: 'UDP' },
              { protocol: 'SCTP' },
            ],
          },
        ],
      }),
    ],
    [CLIENT!, WEB!, 80, true],
    [CLIENT!, WEB!, 80, false, 17],
    [CLIENT!, WEB!, 93, true, 17],
    [CLIENT!, WEB!, 96, false, 17],
    [CLIENT!, WEB!, 7, true, 132],
  ],
  'a named port is the pod’s own': [
    [policy({ ingress: [{ ports: [{ port: 'web', protocol: 'TCP' }] }] })],
    [CLIENT!, WEB!, 8080, true],
    [CLIENT!, WEB!, 80, false],
  ],
  'policies add up': [
    [
      policy({ ingress: [{ ports: [{ port: 80, protocol: 'TCP' }] }] }),
      policy({
        ingress: [
          {
            from: [{ podSelector: { matchLabels: { app: 'client' } } }],
            ports: [{ port: 79, endPort: 81, protocol: 'TCP' }],
          },
        ],
      }),
    ],
    [OTHER!, WEB!, 80, true],
    [OTHER!, WEB!, 81, false],
    [CLIENT!, WEB!, 81, true],
  ],
  'what goes out is judged by itself': [
    [
      policy({
        policyTypes: ['Egress'],
        egress: [{ to: [{ podSelector: { matchLabels: { app: 'client' } } }] }],
      }),
    ],
    [WEB!, CLIENT!, 80, true],
    [WEB!, OTHER!, 80, false],
    [WEB!, OUTSIDE!, 80, false],
    [CLIENT!, WEB!, 80, true],
  ],
  'a named port on the way out is the other pod’s': [
    [policy({ policyTypes: ['Egress'], egress: [{ ports: [{ port: 'web', protocol: 'TCP' }] }] })],
    [WEB!, CLIENT!, 8080, true],
    [WEB!, CLIENT!, 80, false],
    [WEB!, OUTSIDE!, 8080, false],
  ],
  'both ends must agree': [
    [
      policy({ ingress: [{ from: [{ podSelector: {} }] }] }),
      policy({ podSelector: { matchLabels: { app: 'client' } }, policyTypes: ['Egress'] }),
    ],
    [CLIENT!, WEB!, 80, false],
  ],
  'policies of another namespace do not matter': [[policy({}, 'b')], [CLIENT!, WEB!, 80, true]],
  'an empty selector selects every pod but those with the node’s address': [
    [policy({ podSelector: {} })],
    [OTHER!, CLIENT!, 80, false],
    [OTHER!, '10.0.0.9', 80, true],
  ],
}

for (const [title, [policies, ...tries]] of Object.entries(cases)) {
  test(`network policy: ${title}`, () => {
    const elements = [...compilePolicies({ policies, pods, namespaces }).values()].flat()
    for (const [from, to, port, expected, protocol] of tries)
      assert.equal(allowed(elements, from, to, port, protocol), expected, `${from} to ${to}:${port}`)
  })
}
