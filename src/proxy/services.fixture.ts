// Services, slices and what the maps say, for tests of the proxy.
import type { Service, ServiceSpec } from '../api/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../api/types/discovery-v1.ts'
import { ipText } from '../base/netlink/nft-elements.ts'
import { compileService } from './compile-service.ts'
import type { Element } from './elements.ts'

export const service = (spec: Partial<ServiceSpec> = {}, name = 'web'): Service =>
  ({
    metadata: { name, namespace: 'ns' },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.20', ports: [{ port: 80, protocol: 'TCP' }], ...spec },
    status: { loadBalancer: {} },
  }) as Service

export type Shape = Partial<Endpoint> & { ready?: boolean; serving?: boolean; terminating?: boolean }

export const endpoint = (ip: string, shape: Shape = {}): Endpoint => {
  const { ready = true, serving = ready, terminating = false, ...rest } = shape
  return { addresses: [ip], conditions: { ready, serving, terminating }, nodeName: 'here', ...rest }
}

export const slice = (endpoints: Endpoint[], edit: Partial<EndpointSlice> = {}): EndpointSlice =>
  ({
    metadata: { name: 'web-x', namespace: 'ns', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints,
    ...edit,
  }) as EndpointSlice

const PROTOCOLS: Record<number, string> = { 6: 'tcp', 17: 'udp', 132: 'sctp' }
const WITHOUT_ADDRESS = new Set([
  'node-ports',
  'node-endpoints',
  'refused-node-ports',
  'hidden-node-ports',
  'keep-node-ports',
])

/** 'services 10.96.0.20:80/tcp -> pick-1', for people to read. */
export function shown(elements: readonly Element[]): string[] {
  return elements.map(element => `${element.map} ${keyText(element)}${valueText(element)}`).toSorted()
}

function keyText({ map, key, keyEnd }: Element): string {
  if (map === 'cluster-ips') return ipText(key)
  if (map === 'hairpin') return `${ipText(key)} ${ipText(key.subarray(4))}`
  const address = WITHOUT_ADDRESS.has(map) ? '*' : ipText(key)
  const rest = WITHOUT_ADDRESS.has(map) ? key : key.subarray(4)
  const text = `${address}:${rest.readUInt16BE(4)}/${PROTOCOLS[rest[0]!]}`
  if (map === 'sources') return `${text} ${ipText(key.subarray(12))}-${ipText(keyEnd!.subarray(12))}`
  return map.endsWith('endpoints') ? `${text} ${rest.readUInt32LE(8)}` : text
}

function valueText({ value }: Element): string {
  if (value.to === 'chain') return ` -> ${value.chain}`
  return value.to === 'data' ? ` -> ${ipText(value.bytes)}:${value.bytes.readUInt16BE(4)}` : ''
}

/** The same numbers for the same seed. */
export function numbers(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Few addresses and ports, so that Services get in each other's way. */
export function randomService(random: (below: number) => number, name: string): Element[] {
  if (random(5) === 0) return []
  const made = service(
    {
      type: random(2) ? 'NodePort' : 'ClusterIP',
      clusterIP: `10.96.0.${20 + random(4)}`,
      externalIPs: random(3) ? [] : ['203.0.113.5'],
      sessionAffinity: random(2) ? 'ClientIP' : 'None',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 + random(2) } },
      externalTrafficPolicy: random(2) ? 'Local' : 'Cluster',
      ports: [{ port: 80 + random(2), protocol: 'TCP', ...(random(2) && { nodePort: 30_000 + random(2) }) }],
    },
    name,
  )
  const endpoints = Array.from({ length: random(4) }, () =>
    endpoint(`10.0.0.${1 + random(4)}`, { ready: random(3) > 0, nodeName: random(2) ? 'here' : 'there' }),
  )
  return compileService(made, [slice(endpoints)], { nodeName: 'here' })
}
