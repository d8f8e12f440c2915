// Starts the service proxy of this node, and takes its traces away.
import { PlainError } from '../base/plain-error.ts'
import { NftTable, removeProxyTable } from '../proxy/nft-table.ts'
import { ServiceProxy } from '../proxy/service-proxy.ts'
import { routeServices } from '../proxy/service-route.ts'
import { networkNames } from '../runtime/native/network/pod-network.ts'
import type { RunningApiServer } from './api-server.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export const proxyTable = (cluster: string): string => `kubernode-${cluster}-proxy`

export function startServiceProxy(api: RunningApiServer, parts: ClusterParts): void {
  const { clock, log, facts, nodeName, name } = parts
  const client = api.clientOf({ name: 'system:kube-proxy', groups: [] }, 'kube-proxy')
  const { podCidr, serviceCidr } = facts
  const { bridge } = networkNames(name)
  const target = new NftTable({ table: proxyTable(name), podCidr, serviceCidr, bridge })
  routeServices(bridge, serviceCidr)
  parts.onStop(() => target.close())
  const proxy = new ServiceProxy({ client, clock, log, place: { nodeName }, target })
  keepRunning(parts, signal => proxy.run(signal))
}

/** Nothing to remove where nft is missing: then nothing was made. */
export async function removeServiceProxy(cluster: string): Promise<void> {
  await removeProxyTable(proxyTable(cluster)).catch(error => {
    if (!(error instanceof PlainError)) throw error
  })
}
