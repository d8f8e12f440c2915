// Puts the cluster's DNS server where pods, the node and the service proxy reach it, and tells the API about it.
import { createHash } from 'node:crypto'
import { endpointSlices, endpoints, services } from '../api/resources.ts'
import { isAlreadyExists } from '../api/status-error.ts'
import type { Client } from '../client/client.ts'
import { DnsServer } from '../dns/dns-server.ts'
import type { Listener } from '../dns/server/udp-listener.ts'
import { Netlink } from '../runtime/native/network/netlink.ts'
import type { RunningApiServer } from './api-server.ts'
import type { ClusterFacts } from './cluster-facts.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export const CLUSTER_DOMAIN = 'cluster.local'

const DNS_PORT = 53
const NAME = 'kube-dns'
const NAMESPACE = 'kube-system'
const LABELS = {
  'k8s-app': NAME,
  'kubernetes.io/cluster-service': 'true',
  'kubernetes.io/name': 'CoreDNS',
}

/** '10.96.0.0/16' → '10.96.0.10', as kubeadm gives it. */
export const clusterDnsAddress = ({ serviceCidr }: Pick<ClusterFacts, 'serviceCidr'>) =>
  addressIn(serviceCidr, 10)

/** The node's own address in the pod network. */
const gatewayAddress = ({ podCidr }: ClusterFacts) => addressIn(podCidr, 1)

const addressIn = (cidr: string, offset: number) =>
  cidr.split('/')[0]!.replace(/\d+$/, last => String(Number(last) + offset))

/** Resolves when the server answers. */
export async function startClusterDns(api: RunningApiServer, parts: ClusterParts): Promise<ClusterDns> {
  const { clock, log, facts } = parts
  const serviceAddress = clusterDnsAddress(facts)
  const admin = api.clientOf({ name: 'kubernetes-admin', groups: ['system:masters'] }, 'kubernode')
  const server = new DnsServer({
    client: admin,
    clock,
    log,
    zone: CLUSTER_DOMAIN,
    serviceAddress,
    ownAddresses: [serviceAddress, gatewayAddress(facts)],
    ownRanges: [facts.serviceCidr, facts.podCidr],
    resolvConf: '/etc/resolv.conf',
    random: Math.random,
  })
  keepRunning(parts, signal => server.run(signal))
  addDnsLink(parts.name, serviceAddress)
  parts.onStop(() => removeDnsLink(parts.name))
  await Promise.all([server.synced, createService(admin, serviceAddress)])
  await listenAtService(server, serviceAddress, parts)
  return {
    async serveAtGateway() {
      const port = await listenAtGateway(server, parts)
      await publishEndpoints(
        admin,
        port === undefined ? [serviceAddress, DNS_PORT] : [gatewayAddress(facts), port],
      )
    },
  }
}

export interface ClusterDns {
  /** Once the pod network is there: a second way in, which the service proxy leads to. */
  serveAtGateway(): Promise<void>
}

/** Without the proxy this is how everybody reaches the server; a proxy's rules come before it. */
async function listenAtService(server: DnsServer, address: string, parts: ClusterParts): Promise<void> {
  try {
    closeAtEnd(parts, await server.listen(address, DNS_PORT))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    parts.log.warn(
      { address },
      'another DNS server has port 53 of every address: pods need the service proxy',
    )
  }
}

/** Undefined when the pod network has no such address: another runtime's network. */
async function listenAtGateway(server: DnsServer, parts: ClusterParts): Promise<number | undefined> {
  for (const port of [DNS_PORT, 0]) {
    try {
      const listener = await server.listen(gatewayAddress(parts.facts), port)
      closeAtEnd(parts, listener)
      return listener.port
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EADDRNOTAVAIL') return undefined
      if (code !== 'EADDRINUSE' || port === 0) throw error
    }
  }
  return undefined
}

const closeAtEnd = (parts: ClusterParts, listener: Listener) => parts.onStop(() => listener.close())

/** The Service as kubeadm makes it. */
async function createService(client: Client, clusterIP: string): Promise<void> {
  await createUnlessThere(() =>
    client.create(services, {
      metadata: { name: NAME, namespace: NAMESPACE, labels: LABELS },
      spec: {
        clusterIP,
        ports: [
          { name: 'dns', port: DNS_PORT, protocol: 'UDP', targetPort: DNS_PORT },
          { name: 'dns-tcp', port: DNS_PORT, protocol: 'TCP', targetPort: DNS_PORT },
        ],
      },
      status: { loadBalancer: {} },
    }),
  )
}

async function createUnlessThere(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create()
    return true
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    return false
  }
}

/** Endpoints and slice belong together, as those of the Service `kubernetes` do: nothing mirrors or selects them. */
async function publishEndpoints(client: Client, [address, port]: [string, number]): Promise<void> {
  const ports = [
    { name: 'dns', port, protocol: 'UDP' as const },
    { name: 'dns-tcp', port, protocol: 'TCP' as const },
  ]
  const list = {
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      labels: { ...LABELS, 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: [{ ip: address }], ports }],
  }
  const slice = {
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      labels: { ...LABELS, 'kubernetes.io/service-name': NAME },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
    ports,
  }
  const [listIsNew, sliceIsNew] = await Promise.all([
    createUnlessThere(() => client.create(endpoints, structuredClone(list))),
    createUnlessThere(() => client.create(endpointSlices, structuredClone(slice))),
  ])
  if (!listIsNew) await client.update(endpoints, list)
  if (!sliceIsNew) await client.update(endpointSlices, slice)
}

/** Link names have at most 15 characters, so the cluster's name goes in as a hash. */
const linkName = (cluster: string) => `kd-${createHash('sha256').update(cluster).digest('hex').slice(0, 8)}`

/**
 * A link of its own holds the Service's address, so that the server can listen on it whatever else is there. A bridge
 * without ports, because every machine with a pod network has bridges and not every one has dummy links.
 */
function addDnsLink(cluster: string, address: string): void {
  const netlink = new Netlink()
  try {
    const name = linkName(cluster)
    if (!netlink.findLink(name)) netlink.addBridge(name)
    const { index } = netlink.findLink(name)!
    netlink.setUp(index)
    netlink.addAddress(index, Buffer.from(address.split('.').map(Number)), 32)
  } finally {
    netlink.close()
  }
}

/** Removing it twice is fine. */
export function removeDnsLink(cluster: string): void {
  const netlink = new Netlink()
  try {
    netlink.removeLink(linkName(cluster))
  } finally {
    netlink.close()
  }
}
