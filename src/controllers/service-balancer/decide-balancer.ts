// What a Service of type LoadBalancer is given where there is no cloud: the addresses of the nodes themselves, on
// which the proxy listens. Pure. Upstream: cloud-provider/controllers/service/controller.go, as k3s' ServiceLB does it.

import { isDeepStrictEqual } from 'node:util'
import type { Node, Service } from '../../api/types/core-v1.ts'

export const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup'

export type BalancerAction =
  | { do: 'addFinalizer' }
  | { do: 'removeFinalizer' }
  | { do: 'setAddresses'; ips: readonly string[] }

/** Another class belongs to another implementation. */
const wantsOurs = ({ spec }: Service) => spec.type === 'LoadBalancer' && spec.loadBalancerClass === undefined

export function decideBalancer(service: Service, nodeIps: readonly string[]): BalancerAction[] {
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
  return isDeepStrictEqual(ips, nodeIps) ? actions : [...actions, { do: 'setAddresses', ips: nodeIps }]
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
