// What the zone says about one Service: made from the Service and its EndpointSlices whenever one of them changes.
import type { Service } from '../../api/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/types/discovery-v1.ts'

export interface NamedPort {
  /** '' for a port without a name: it has no SRV record of its own. */
  name: string
  /** 'tcp', 'udp', 'sctp'. */
  protocol: string
  port: number
}

export interface EndpointEntry {
  /** Its own label under the Service: the endpoint's hostname, or its address with dashes. */
  label: string
  address: string
  ports: readonly NamedPort[]
}

interface Common {
  namespace: string
  name: string
}

export type ServiceEntry = Common &
  (
    | { kind: 'external'; target: string }
    | {
        kind: 'cluster' | 'headless'
        /** Cluster IPs; none when headless. */
        addresses: readonly string[]
        ports: readonly NamedPort[]
        /** Only those that are ready. */
        endpoints: readonly EndpointEntry[]
      }
  )

/** Undefined while the Service has neither an address nor a name to answer with. */
export function serviceEntry(service: Service, slices: readonly EndpointSlice[]): ServiceEntry | undefined {
  const { name, namespace = '' } = service.metadata
  const { type, externalName, clusterIP, clusterIPs, ports = [], publishNotReadyAddresses } = service.spec
  if (type === 'ExternalName') {
    const target = externalName?.replace(/\.$/, '').toLowerCase()
    return target ? { kind: 'external', namespace, name, target } : undefined
  }
  const endpoints = slices.flatMap(slice => endpointsOf(slice, publishNotReadyAddresses ?? false))
  const common = { namespace, name, endpoints: distinct(endpoints) }
  if (clusterIP === 'None') return { kind: 'headless', addresses: [], ports: [], ...common }
  const addresses = clusterIPs?.length ? clusterIPs : clusterIP ? [clusterIP] : []
  if (addresses.length === 0) return undefined
  const own = ports.map(({ name = '', protocol = 'TCP', port }) => namedPort(name, protocol, port))
  return { kind: 'cluster', addresses, ports: own, ...common }
}

/** An endpoint whose readiness nobody knows counts as ready. */
function endpointsOf({ addressType, endpoints, ports }: EndpointSlice, unready: boolean): EndpointEntry[] {
  if (addressType === 'FQDN') return []
  const named = (ports ?? [])
    .filter(({ port }) => port)
    .map(({ name, protocol, port }) => namedPort(name ?? '', protocol ?? 'TCP', port!))
  return (endpoints ?? [])
    .filter(({ conditions }) => unready || conditions?.ready !== false)
    .flatMap(endpoint =>
      endpoint.addresses.map(address => ({ label: labelOf(endpoint, address), address, ports: named })),
    )
}

/** CoreDNS's choice for an endpoint without a hostname: '10.1.2.3' → '10-1-2-3', 'fd00::1' → 'fd00--1'. */
const labelOf = ({ hostname }: Endpoint, address: string) =>
  hostname ? hostname.toLowerCase() : dashed(address)

const dashed = (address: string) => address.replace(/[.:]/g, '-')

const namedPort = (name: string, protocol: string, port: number): NamedPort => ({
  name: name.toLowerCase(),
  protocol: protocol.toLowerCase(),
  port,
})

/** While an endpoint moves from one slice to another it may be in both. */
function distinct(endpoints: readonly EndpointEntry[]): EndpointEntry[] {
  const seen = new Map<string, EndpointEntry>()
  for (const endpoint of endpoints) {
    const key = `${endpoint.label} ${endpoint.address}`
    const known = seen.get(key)
    seen.set(key, known ? { ...known, ports: distinctPorts([...known.ports, ...endpoint.ports]) } : endpoint)
  }
  return [...seen.values()]
}

function distinctPorts(ports: readonly NamedPort[]): NamedPort[] {
  return [...new Map(ports.map(port => [`${port.name}/${port.protocol}/${port.port}`, port])).values()]
}
