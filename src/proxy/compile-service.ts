// What one Service needs in the proxy's maps, as a value. Pure: the same Service and slices give the same elements.
// Upstream: pkg/proxy/nftables/proxier.go syncProxyRules.
import { networkOf, parseCidr } from '../api/ip.ts'
import type { Service, ServicePort } from '../api/types/core-v1.ts'
import type { EndpointSlice } from '../api/types/discovery-v1.ts'
import { endpointBytes, ipBytes, type NftValue, type Protocol } from '../base/netlink/nft-elements.ts'
import { type Backend, type ChosenEndpoints, chooseEndpoints, type Place } from './choose-endpoints.ts'
import { type Element, type Frontend, frontendKey, numberedKey, pairKey, sourceKey } from './elements.ts'
import { keepChain, pickChain, pickNodeChain } from './layout.ts'

const nothing: NftValue = { to: 'nothing' }
const chain = (name: string): NftValue => ({ to: 'chain', chain: name })

/** A way in, and who answers there. */
interface Door {
  frontend: Frontend
  backends: readonly Backend[]
  /** Nobody answers: are they told (refused) or not (discarded)? */
  whenEmpty: 'refuse' | 'discard'
  /** Whose address backends do not get to see: of nobody, of clients that are no pods, of everybody. */
  hides: 'nobody' | 'foreign' | 'all'
}

export function compileService(service: Service, slices: readonly EndpointSlice[], place: Place): Element[] {
  const { spec } = service
  const clusterIp = clusterIpOf(service)
  if (clusterIp === undefined) return []
  const elements: Element[] = [{ map: 'cluster-ips', key: ipBytes(clusterIp), value: nothing }]
  const ips = new Set<string>()
  for (const port of spec.ports ?? []) {
    const chosen = chooseEndpoints(port, slices, place)
    for (const door of doors(service, port, chosen, clusterIp)) {
      elements.push(...openDoor(door), ...remembering(door, service))
    }
    for (const { ip } of [...chosen.cluster, ...chosen.local]) ips.add(ip)
    elements.push(...sourceRanges(service, port))
  }
  for (const ip of ips) elements.push({ map: 'hairpin', key: pairKey(ip, ip), value: nothing })
  return elements
}

/** By these labels a Service says that it is another proxy's, or nobody's. */
const NOT_OURS = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless']

/** Undefined: headless, an external name, another proxy's, or of a family that this proxy does not carry. */
export function clusterIpOf({ metadata, spec }: Service): string | undefined {
  const { clusterIP } = spec
  if (NOT_OURS.some(label => metadata.labels?.[label] !== undefined)) return undefined
  if (spec.type === 'ExternalName' || !clusterIP || clusterIP === 'None' || clusterIP.includes(':'))
    return undefined
  return clusterIP
}

function doors(service: Service, port: ServicePort, chosen: ChosenEndpoints, clusterIp: string): Door[] {
  const { spec } = service
  const protocol = (port.protocol ?? 'TCP') as Protocol
  const whenEmpty = chosen.anywhere ? 'discard' : 'refuse'
  const internal = spec.internalTrafficPolicy === 'Local' ? chosen.local : chosen.cluster
  const isLocal = spec.externalTrafficPolicy === 'Local'
  const external = isLocal ? chosen.local : chosen.cluster
  const outside = (frontend: Frontend): Door => ({
    frontend,
    backends: external,
    whenEmpty,
    hides: isLocal ? 'nobody' : 'all',
  })
  const inside: Door = {
    frontend: { ip: clusterIp, protocol, port: port.port },
    backends: internal,
    whenEmpty,
    hides: 'foreign',
  }
  return [
    inside,
    ...outsideAddresses(service).map(ip => outside({ ip, protocol, port: port.port })),
    ...(port.nodePort ? [outside({ protocol, port: port.nodePort })] : []),
  ]
}

function outsideAddresses({ spec, status }: Service): string[] {
  return [...new Set([...(spec.externalIPs ?? []), ...balancerAddresses(spec.type, status)])].filter(
    ip => !ip.includes(':'),
  )
}

function balancerAddresses(type: string | undefined, status: Service['status'] | undefined): string[] {
  if (type !== 'LoadBalancer') return []
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
    ip && ipMode !== 'Proxy' ? [ip] : [],
  )
}

function openDoor({ frontend, backends, whenEmpty, hides }: Door): Element[] {
  const key = frontendKey(frontend)
  const atNode = frontend.ip === undefined
  if (backends.length === 0) {
    return [{ map: atNode ? 'refused-node-ports' : 'refused', key, value: chain(whenEmpty) }]
  }
  const pick = atNode ? pickNodeChain(backends.length) : pickChain(backends.length)
  const elements: Element[] = [{ map: atNode ? 'node-ports' : 'services', key, value: chain(pick) }]
  for (const [index, { ip, port }] of backends.entries()) {
    elements.push({
      map: atNode ? 'node-endpoints' : 'endpoints',
      key: numberedKey(frontend, index),
      value: { to: 'data', bytes: endpointBytes(ip, port) },
    })
  }
  if (hides !== 'nobody') {
    elements.push({ map: atNode ? 'hidden-node-ports' : 'hidden', key, value: chain(`masquerade-${hides}`) })
  }
  return elements
}

function remembering({ frontend, backends }: Door, { spec }: Service): Element[] {
  if (spec.sessionAffinity !== 'ClientIP' || backends.length === 0) return []
  const map = frontend.ip === undefined ? 'keep-node-ports' : 'keep'
  return [{ map, key: frontendKey(frontend), value: chain(keepChain(affinitySeconds(spec))) }]
}

const DEFAULT_AFFINITY_SECONDS = 10_800

export const affinitySeconds = ({ sessionAffinityConfig }: Service['spec']): number =>
  sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS

/** Load balancer addresses let in only these ranges, where there are any. */
function sourceRanges({ spec, status }: Service, port: ServicePort): Element[] {
  if (!spec.loadBalancerSourceRanges?.length) return []
  const protocol = (port.protocol ?? 'TCP') as Protocol
  const ranges = mergedRanges(spec.loadBalancerSourceRanges)
  return balancerAddresses(spec.type, status)
    .filter(ip => !ip.includes(':'))
    .flatMap(ip => {
      const frontend = { ip, protocol, port: port.port }
      return [
        { map: 'restricted' as const, key: frontendKey(frontend), value: nothing },
        ...ranges.map(([first, last]) => ({
          map: 'sources' as const,
          key: sourceKey(frontend, u32(first)),
          keyEnd: sourceKey(frontend, u32(last)),
          value: nothing,
        })),
      ]
    })
}

/** First and last addresses. Ranges that overlap become one: the kernel refuses them as they are. */
function mergedRanges(texts: readonly string[]): [first: number, last: number][] {
  const ranges = texts.flatMap((text): [number, number][] => {
    const cidr = parseCidr(text.trim())
    if (cidr?.ip.family !== 4) return []
    const first = Number(networkOf(cidr).value)
    return [[first, first + 2 ** (32 - cidr.bits) - 1]]
  })
  const merged: [number, number][] = []
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = merged.at(-1)
    if (before && first <= before[1]) before[1] = Math.max(before[1], last)
    else merged.push([first, last])
  }
  return merged
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}
