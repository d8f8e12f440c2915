// NetworkPolicies. Upstream: pkg/apis/networking/validation ValidateNetworkPolicySpec.
import { cidrContains, networkOf, parseCidr } from '../ip.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../types/networking-v1.ts'
import { validateCidr } from './addresses.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from './field-error.ts'
import { validateLabelSelector } from './label-selector.ts'
import { PROTOCOLS, validatePort } from './pod/ports.ts'

const TYPES = ['Egress', 'Ingress']

/** Ranges that `old` had already are let through. */
export function validateNetworkPolicy({ spec }: NetworkPolicy, old?: NetworkPolicy): FieldError[] {
  const had = old ? rangesOf(old) : []
  const { policyTypes = [], ingress = [], egress = [] } = spec
  const peers = (list: readonly NetworkPolicyPeer[], path: string) =>
    list.flatMap((peer, index) => peerErrors(peer, `${path}[${index}]`, had))
  const ports = (list: readonly NetworkPolicyPort[], path: string) =>
    list.flatMap((port, index) => portErrors(port, `${path}[${index}]`))
  return [
    ...validateLabelSelector(spec.podSelector, 'spec.podSelector'),
    ...ingress.flatMap((rule, index) => [
      ...ports(rule.ports ?? [], `spec.ingress[${index}].ports`),
      ...peers(rule.from ?? [], `spec.ingress[${index}].from`),
    ]),
    ...egress.flatMap((rule, index) => [
      ...ports(rule.ports ?? [], `spec.egress[${index}].ports`),
      ...peers(rule.to ?? [], `spec.egress[${index}].to`),
    ]),
    ...typeErrors(policyTypes),
  ]
}

function typeErrors(types: readonly string[]): FieldError[] {
  const path = 'spec.policyTypes'
  if (types.length > TYPES.length)
    return [invalidValue(path, types, 'may not specify more than two policyTypes')]
  return types.flatMap((type, index) =>
    TYPES.includes(type) ? [] : [notSupported(`${path}[${index}]`, type, TYPES)],
  )
}

function rangesOf({ spec }: NetworkPolicy): string[] {
  const peers = [
    ...(spec.ingress ?? []).flatMap(({ from = [] }) => from),
    ...(spec.egress ?? []).flatMap(({ to = [] }) => to),
  ]
  return peers.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : []))
}

function portErrors({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (protocol !== undefined && !PROTOCOLS.includes(protocol))
    errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS))
  if (port === undefined) {
    const why = 'may not be specified when `port` is not specified'
    return endPort === undefined ? errors : [...errors, invalidValue(`${path}.endPort`, endPort, why)]
  }
  errors.push(...validatePort(port, `${path}.port`))
  if (endPort === undefined) return errors
  if (typeof port === 'string')
    return [
      ...errors,
      invalidValue(`${path}.endPort`, endPort, 'may not be specified when `port` is non-numeric'),
    ]
  if (endPort < port)
    errors.push(invalidValue(`${path}.endPort`, endPort, 'must be greater than or equal to `port`'))
  return [...errors, ...validatePort(endPort, `${path}.endPort`)]
}

function peerErrors(peer: NetworkPolicyPeer, path: string, had: readonly string[]): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer
  const errors = [
    ...(podSelector ? validateLabelSelector(podSelector, `${path}.podSelector`) : []),
    ...(namespaceSelector ? validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`) : []),
    ...(ipBlock ? blockErrors(ipBlock, `${path}.ipBlock`, had) : []),
  ]
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(path, 'must specify a peer'))
  if (ipBlock && (podSelector || namespaceSelector))
    errors.push(forbiddenField(path, 'may not specify both ipBlock and another peer'))
  return errors
}

function blockErrors({ cidr, except = [] }: IPBlock, path: string, had: readonly string[]): FieldError[] {
  if (!cidr) return [required(`${path}.cidr`)]
  const errors = validateCidr(cidr, `${path}.cidr`, had)
  const whole = parseCidr(cidr)
  if (errors.length > 0 || !whole) return errors
  return except.flatMap((text, index) => {
    const field = `${path}.except[${index}]`
    const bad = validateCidr(text, field, had)
    const part = parseCidr(text)
    if (bad.length > 0 || !part) return bad
    const inside = cidrContains(whole, networkOf(part)) && part.bits > whole.bits
    return inside ? [] : [invalidValue(field, text, 'must be a strict subset of `cidr`')]
  })
}
