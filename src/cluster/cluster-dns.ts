// Puts the cluster's DNS server where pods, the node and the service proxy reach it, and tells the API about it.
import { createHash } from 'node:crypto'
import { DnsServer } from '../dns/dns-server.ts'
import type { Listener } from '../dns/server/udp-listener.ts'
import { Netlink } from '../runtime/native/network/netlink.ts'
import type { RunningApiServer } from './api-server.ts'
import type { ClusterFacts } from './cluster-facts.ts'
import {
  createDnsAccess,
  createDnsService,
  DNS_ACCOUNT,
  DNS_PORT,
  publishDnsEndpoints,
} from './dns-objects.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export const CLUSTER_DOMAIN = 'cluster.local'

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
  await createDnsAccess(admin)
  const server = new DnsServer({
    client: api.clientOf(DNS_ACCOUNT, 'coredns'),
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
  await Promise.all([server.synced, createDnsService(admin, serviceAddress)])
  await listenAtService(server, serviceAddress, parts)
  return {
    async serveAtGateway() {
      const port = await listenAtGateway(server, parts)
      await publishDnsEndpoints(
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
