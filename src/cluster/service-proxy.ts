// Starts the service proxy of this node, and takes its traces away.
import { PlainError } from '../base/plain-error.ts'
import { NftTable } from '../proxy/nft-table.ts'
import { PolicyEnforcer } from '../proxy/policy/policy-enforcer.ts'
import { PolicyTable } from '../proxy/policy/policy-table.ts'
import { HEALTH_PORT, runStatusServers, STATUS_PORT } from '../proxy/proxy-status-servers.ts'
import { removeTables } from '../proxy/run-nft.ts'
import { ServiceProxy } from '../proxy/service-proxy.ts'
import { routeServices } from '../proxy/service-route.ts'
import { networkNames } from '../runtime/native/network/pod-network.ts'
import type { RunningApiServer } from './api-server.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export const proxyTable = (cluster: string): string => `kubernode-${cluster}-proxy`

export const policyTable = (cluster: string): string => `kubernode-${cluster}-policies`

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
  const { health, metrics } = proxy
  const now = () => clock.now()
  const status = { health, metrics, now, log, healthPort: HEALTH_PORT, statusPort: STATUS_PORT }
  keepRunning(parts, signal => runStatusServers(status, signal))
}

export function startPolicyEnforcer(api: RunningApiServer, parts: ClusterParts): void {
  const { clock, log, name } = parts
  const client = api.clientOf({ name: 'kubernetes-admin', groups: ['system:masters'] }, 'kubernode')
  const target = new PolicyTable(policyTable(name))
  parts.onStop(() => target.close())
  keepRunning(parts, signal => new PolicyEnforcer({ client, clock, log, target }).run(signal))
}

/** Nothing to remove where nft is missing: then nothing was made. */
export async function removeServiceProxy(cluster: string): Promise<void> {
  await removeTables(proxyTable(cluster), policyTable(cluster)).catch(error => {
    if (!(error instanceof PlainError)) throw error
  })
}
