// What a Service of type LoadBalancer is given where there is no cloud: the addresses of the nodes themselves, on
// which the proxy listens. Pure. Upstream: cloud-provider/controllers/service/controller.go, as k3s' ServiceLB does it.

import { isDeepStrictEqual } from 'node:util'
import type { Node, Service } from '../../api/types/core-v1.ts'

export const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup'

export type BalancerAction =
  | { do: 'addFinalizer' }
  | { do: 'removeFinalizer' }
  | { do: 'setAddresses'; ips: readonly string[] }
  /** It stays pending. */
  | { do: 'report'; message: string }

/** Another class belongs to another implementation. */
const wantsOurs = ({ spec }: Service) => spec.type === 'LoadBalancer' && spec.loadBalancerClass === undefined

/** `others` are all Services; one that has the port already keeps it, for the nodes' addresses are shared. */
export function decideBalancer(
  service: Service,
  nodeIps: readonly string[],
  others: readonly Service[] = [],
): BalancerAction[] {
  const { metadata, status } = service
  const hasFinalizer = metadata.finalizers?.includes(FINALIZER) ?? false
  const ips = (status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
  if (!wantsOurs(service) || metadata.deletionTimestamp) {
    if (!hasFinalizer) return []
    const empty =
      ips.length > 0 && service.spec.type === 'LoadBalancer' ? [{ do: 'setAddresses' as const, ips: [] }] : []
    return [...empty, { do: 'removeFinalizer' }]
  }
  const actions: BalancerAction[] = hasFinalizer ? [] : [{ do: 'addFinalizer' }]
  const clash = portHolder(service, others)
  if (clash) actions.push({ do: 'report', message: clash })
  const wanted = clash ? [] : nodeIps
  return isDeepStrictEqual(ips, wanted) ? actions : [...actions, { do: 'setAddresses', ips: wanted }]
}

/** Who has one of the ports at the nodes' addresses, in words. */
function portHolder(service: Service, others: readonly Service[]): string | undefined {
  const keysOf = ({ spec }: Service) =>
    (spec.ports ?? []).map(({ port, protocol }) => `${port}/${protocol ?? 'TCP'}`)
  const own = new Set(keysOf(service))
  for (const other of others) {
    const isThere = (other.status.loadBalancer?.ingress?.length ?? 0) > 0
    if (other.metadata.uid === service.metadata.uid || !wantsOurs(other) || !isThere) continue
    const port = keysOf(other).find(key => own.has(key))
    if (port) return `port ${port} belongs to Service ${other.metadata.namespace}/${other.metadata.name}`
  }
  return undefined
}

const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers'

/** Of nodes that are ready and not excluded: the external addresses, else the internal ones. */
export function nodeAddresses(nodes: readonly Node[]): string[] {
  const fit = nodes.filter(
    ({ metadata, status }) =>
      metadata.labels?.[EXCLUDED] === undefined &&
      status.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True'),
  )
  const of = (type: string) =>
    fit.flatMap(({ status }) =>
      (status.addresses ?? []).filter(one => one.type === type).map(one => one.address),
    )
  const external = of('ExternalIP')
  return [...new Set(external.length > 0 ? external : of('InternalIP'))].toSorted()
}
