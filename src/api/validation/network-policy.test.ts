import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkPolicy, NetworkPolicySpec } from '../types/networking-v1.ts'
import { validateNetworkPolicy } from './network-policy.ts'

const from = (...peers: object[]) => ({ ingress: [{ from: peers }] }) as Partial<NetworkPolicySpec>
const ports = (...list: object[]) => ({ egress: [{ ports: list }] }) as Partial<NetworkPolicySpec>

const cases: Record<string, [Partial<NetworkPolicySpec>, ...string[]]> = {
  'an empty policy is fine': [{}],
  'a peer must be somebody': [from({}), 'spec.ingress[0].from[0]: Required value: must specify a peer'],
  'a block stands alone': [
    from({ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }),
    'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
  ],
  'a block is a range': [
    from({ ipBlock: { cidr: '10.0.0.1/8' } }),
    'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
  ],
  'exceptions are parts of it': [
    from({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '11.0.0.0/16', '10.0.0.0/8'] } }),
    'spec.ingress[0].from[0].ipBlock.except[1]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    'spec.ingress[0].from[0].ipBlock.except[2]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
  ],
  'an end needs a beginning': [
    ports({ endPort: 90 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is not specified',
  ],
  'which is a number': [
    ports({ port: 'web', endPort: 90 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is non-numeric',
  ],
  'and not behind it': [
    ports({ port: 91, endPort: 90 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 90: must be greater than or equal to `port`',
  ],
  'types are two': [
    { policyTypes: ['Both' as never] },
    'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Egress", "Ingress"',
  ],
  'and no more than two': [
    { policyTypes: ['Ingress', 'Egress', 'Ingress'] },
    'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
  ],
}

for (const [title, [spec, ...expected]] of Object.entries(cases)) {
  test(`network policy validation: ${title}`, () => {
    const policy = { metadata: { name: 'p' }, spec: { podSelector: {}, ...spec } } as NetworkPolicy
    const errors = validateNetworkPolicy(policy).map(({ field, message }) => `${field}: ${message}`)
    assert.deepEqual(errors, expected)
  })
}
