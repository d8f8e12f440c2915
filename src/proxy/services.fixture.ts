// Services, slices and what the maps say, for tests of the proxy.
import type { Service, ServiceSpec } from '../api/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../api/types/discovery-v1.ts'
import { ipText } from '../base/netlink/nft-elements.ts'
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
