// What NetworkPolicies allow each pod, as elements of sets. Pure. A pod that no policy selects is left alone; one that
// some select may be reached by (or reach) exactly what at least one of them allows, and always itself.
// Upstream: the meaning of networking.k8s.io/v1 NetworkPolicy; how it is kept is every cluster's own business.
import { networkOf, parseCidr, parseIp } from '../../api/ip.ts'
import { type LabelMatcher, matcherOf } from '../../api/labels.ts'
import type { Namespace, Pod } from '../../api/types/core-v1.ts'
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  PolicyType,
} from '../../api/types/networking-v1.ts'
import { ipBytes, type Protocol, portBytes, protocolBytes } from '../../base/netlink/nft-elements.ts'
import { disjointBoxes, mergeRanges, type Range, subtractRanges } from './disjoint-boxes.ts'
import type { PolicyElement, PolicyMap } from './policy-layout.ts'

export interface PolicyInput {
  policies: readonly NetworkPolicy[]
  pods: readonly Pod[]
  namespaces: readonly Namespace[]
}

const EVERY_ADDRESS: Range = [0, 2 ** 32 - 1]
const EVERY_PORT: Range = [0, 65_535]

/** Someone on the other side of a connection; a pod of its own where names of ports are looked up. */
interface Peer {
  addresses: Range
  pod?: Pod
}

/** No ports: everything, whatever the protocol. */
interface Grant {
  addresses: Range
  protocol?: Protocol
  ports?: Range
}

interface Rule {
  ports: readonly NetworkPolicyPort[]
  peers: readonly NetworkPolicyPeer[]
}

/** By the pod's key. */
export function compilePolicies(input: PolicyInput): Map<string, PolicyElement[]> {
  const pods = input.pods.filter(hasOwnAddress)
  const world = {
    ...input,
    pods,
    labels: new Map(input.namespaces.map(({ metadata }) => [metadata.name, metadata.labels])),
  }
  const byNamespace = Map.groupBy(
    input.policies.map(policy => ({ policy, selects: matcherOf(policy.spec.podSelector) })),
    ({ policy }) => policy.metadata.namespace,
  )
  const compiled = new Map<string, PolicyElement[]>()
  for (const pod of pods) {
    const { namespace, name, labels } = pod.metadata
    const policies = (byNamespace.get(namespace) ?? []).flatMap(({ policy, selects }) =>
      selects(labels) ? [policy] : [],
    )
    const elements = [
      ...direction(pod, policies, 'Ingress', world),
      ...direction(pod, policies, 'Egress', world),
    ]
    if (elements.length > 0) compiled.set(`${namespace}/${name}`, elements)
  }
  return compiled
}

/** On the host's network it has the node's address, for which policies do not speak. */
function hasOwnAddress({ spec, status }: Pod): boolean {
  const isOver = status.phase === 'Succeeded' || status.phase === 'Failed'
  return !spec.hostNetwork && !isOver && parseIp(status.podIP ?? '')?.family === 4
}

interface World {
  pods: readonly Pod[]
  labels: ReadonlyMap<string, Record<string, string> | undefined>
}

function direction(
  pod: Pod,
  policies: readonly NetworkPolicy[],
  type: PolicyType,
  world: World,
): PolicyElement[] {
  const own = policies.filter(({ spec }) => typesOf(spec).includes(type))
  if (own.length === 0) return []
  const grants = own.flatMap(policy =>
    rulesOf(policy, type).flatMap(rule => grantsOf(rule, policy.metadata.namespace ?? '', pod, type, world)),
  )
  const ip = pod.status.podIP!
  const self: Grant = { addresses: single(ip) }
  const [isolated, any, port]: PolicyMap[] =
    type === 'Ingress' ? ['isolated-in', 'in-any', 'in-port'] : ['isolated-out', 'out-any', 'out-port']
  return [
    { map: isolated!, key: ipBytes(ip), value: { to: 'nothing' } },
    ...anyElements(any!, ip, [...grants, self]),
    ...portElements(port!, ip, grants),
  ]
}

const typesOf = ({ policyTypes, egress }: NetworkPolicy['spec']): readonly PolicyType[] =>
  policyTypes?.length ? policyTypes : egress?.length ? ['Ingress', 'Egress'] : ['Ingress']

const rulesOf = ({ spec }: NetworkPolicy, type: PolicyType): Rule[] =>
  type === 'Ingress'
    ? (spec.ingress ?? []).map(({ from = [], ports = [] }) => ({ peers: from, ports }))
    : (spec.egress ?? []).map(({ to = [], ports = [] }) => ({ peers: to, ports }))

function grantsOf(rule: Rule, namespace: string, pod: Pod, type: PolicyType, world: World): Grant[] {
  const peers =
    rule.peers.length === 0
      ? // Anybody; pods among them by themselves, for names of ports differ from pod to pod.
        [
          { addresses: EVERY_ADDRESS },
          ...(type === 'Egress' && hasNames(rule) ? world.pods.map(podPeer) : []),
        ]
      : rule.peers.flatMap(peer => peersOf(peer, namespace, world))
  if (rule.ports.length === 0) return peers.map(({ addresses }) => ({ addresses }))
  return peers.flatMap(peer =>
    rule.ports.flatMap(port =>
      portsOf(port, type === 'Ingress' ? pod : peer.pod).map(ports => ({
        addresses: peer.addresses,
        protocol: (port.protocol ?? 'TCP') as Protocol,
        ports,
      })),
    ),
  )
}

const hasNames = ({ ports }: Rule) => ports.some(({ port }) => typeof port === 'string')
const podPeer = (pod: Pod): Peer => ({ addresses: single(pod.status.podIP!), pod })

function peersOf(peer: NetworkPolicyPeer, namespace: string, { pods, labels }: World): Peer[] {
  if (peer.ipBlock) return blockRanges(peer.ipBlock).map(addresses => ({ addresses }))
  const inNamespace: LabelMatcher | undefined = peer.namespaceSelector && matcherOf(peer.namespaceSelector)
  const matches = peer.podSelector ? matcherOf(peer.podSelector) : () => true
  return pods
    .filter(({ metadata }) => {
      const own = metadata.namespace ?? ''
      return (inNamespace ? inNamespace(labels.get(own)) : own === namespace) && matches(metadata.labels)
    })
    .map(podPeer)
}

function blockRanges({ cidr, except = [] }: IPBlock): Range[] {
  const whole = rangeOf(cidr)
  return whole
    ? subtractRanges(
        whole,
        except.map(rangeOf).filter(range => range !== undefined),
      )
    : []
}

function rangeOf(text: string): Range | undefined {
  const cidr = parseCidr(text)
  if (cidr?.ip.family !== 4) return undefined
  const first = Number(networkOf(cidr).value)
  return [first, first + 2 ** (32 - cidr.bits) - 1]
}

function single(ip: string): Range {
  const number = Number(parseIp(ip)!.value)
  return [number, number]
}

/** `target` is the pod that the port is one of; a name it does not know allows nothing. */
function portsOf({ port, endPort, protocol = 'TCP' }: NetworkPolicyPort, target: Pod | undefined): Range[] {
  if (port === undefined) return [EVERY_PORT]
  if (typeof port === 'number') return [[port, endPort ?? port]]
  const { containers = [], initContainers = [] } = target?.spec ?? {}
  return [...containers, ...initContainers]
    .flatMap(({ ports = [] }) => ports)
    .filter(one => one.name === port && (one.protocol ?? 'TCP') === protocol)
    .map(({ containerPort }) => [containerPort, containerPort])
}

function anyElements(map: PolicyMap, ip: string, grants: readonly Grant[]): PolicyElement[] {
  const ranges = mergeRanges(grants.filter(({ ports }) => !ports).map(({ addresses }) => addresses))
  return ranges.map(([first, last]) => ({
    map,
    key: Buffer.concat([ipBytes(ip), u32(first)]),
    keyEnd: Buffer.concat([ipBytes(ip), u32(last)]),
    value: { to: 'nothing' },
  }))
}

function portElements(map: PolicyMap, ip: string, grants: readonly Grant[]): PolicyElement[] {
  const byProtocol = Map.groupBy(
    grants.filter(({ ports }) => ports),
    ({ protocol }) => protocol!,
  )
  return [...byProtocol].flatMap(([protocol, some]) =>
    disjointBoxes(some.map(({ addresses, ports }) => ({ addresses, ports: ports! }))).map(
      ({ addresses, ports }) => {
        const key = (address: number, port: number) =>
          Buffer.concat([ipBytes(ip), u32(address), protocolBytes(protocol), portBytes(port)])
        return {
          map,
          key: key(addresses[0], ports[0]),
          keyEnd: key(addresses[1], ports[1]),
          value: { to: 'nothing' } as const,
        }
      },
    ),
  )
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}
