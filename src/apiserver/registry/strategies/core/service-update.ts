// What an update of a Service need not say: values that the server gave are kept, and those that another type has no
// use for are dropped. Upstream: pkg/registry/core/service/strategy.go dropTypeDependentFields and
// storage/storage.go normalizeClusterIPs, patchAllocatedValues.
import type { Service, ServiceSpec } from '../../../../api/types/core-v1.ts'
import { sameList } from './service-families.ts'

export const usesClusterIp = ({ type }: ServiceSpec): boolean => type !== 'ExternalName'

export const usesNodePorts = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)

export const usesHealthCheck = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

const isExternal = ({ type, externalIPs }: ServiceSpec) =>
  type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && (externalIPs?.length ?? 0) > 0)

/** clusterIP and clusterIPs say the same; old clients know only the first. */
export function normalizeClusterIps({ spec }: Service, old?: Service): void {
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
    return
  }
  const before = old.spec
  if (spec.clusterIP === before.clusterIP || !sameList(spec.clusterIPs, before.clusterIPs)) return
  if (!spec.clusterIP) delete spec.clusterIPs
  else spec.clusterIPs = [spec.clusterIP]
}

/** An update that leaves them out keeps what was allocated. */
export function keepAllocated({ spec }: Service, { spec: before }: Service): void {
  if (usesClusterIp(spec) && usesClusterIp(before)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP
    if (!spec.clusterIPs?.length && before.clusterIPs && spec.clusterIP === before.clusterIP)
      spec.clusterIPs = [...before.clusterIPs]
  }
  if (usesNodePorts(spec) && usesNodePorts(before)) keepNodePorts(spec, before)
  if (usesHealthCheck(spec) && usesHealthCheck(before) && before.healthCheckNodePort)
    spec.healthCheckNodePort ||= before.healthCheckNodePort
}

/** Ports are known again by their names. */
function keepNodePorts(spec: ServiceSpec, before: ServiceSpec): void {
  const said = nodePortsOf(spec)
  const used = new Set([...nodePortsOf(before)].filter(port => said.has(port)))
  const byName = new Map((before.ports ?? []).map(({ name = '', nodePort = 0 }) => [name, nodePort]))
  for (const port of spec.ports ?? []) {
    const known = byName.get(port.name ?? '')
    if (port.nodePort || !known || used.has(known)) continue
    port.nodePort = known
    used.add(known)
  }
}

const nodePortsOf = ({ ports }: ServiceSpec) =>
  new Set((ports ?? []).map(({ nodePort = 0 }) => nodePort).filter(port => port > 0))

/** Dropped only where the user did not change the field along with the type. */
export function dropWhatTypeDoesNotUse(service: Service, { spec: before }: Service): void {
  const { spec } = service
  if (usesClusterIp(before) && !usesClusterIp(spec)) dropAddresses(spec, before)
  if (usesNodePorts(before) && !usesNodePorts(spec)) {
    const old = nodePortsOf(before)
    if ([...nodePortsOf(spec)].every(port => old.has(port)))
      for (const port of spec.ports ?? []) delete port.nodePort
  }
  if (usesHealthCheck(before) && !usesHealthCheck(spec)) dropSame(spec, before, 'healthCheckNodePort')
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    dropSame(spec, before, 'allocateLoadBalancerNodePorts')
    dropSame(spec, before, 'loadBalancerClass')
  }
  if (isExternal(before) && !isExternal(spec)) dropSame(spec, before, 'externalTrafficPolicy')
  if (spec.type !== 'LoadBalancer') service.status = { ...service.status, loadBalancer: {} }
}

function dropAddresses(spec: ServiceSpec, before: ServiceSpec): void {
  if (spec.clusterIP === before.clusterIP && sameList(spec.clusterIPs, before.clusterIPs)) {
    delete spec.clusterIP
    delete spec.clusterIPs
  }
  if (sameList(spec.ipFamilies, before.ipFamilies)) delete spec.ipFamilies
  dropSame(spec, before, 'ipFamilyPolicy')
}

function dropSame(spec: ServiceSpec, before: ServiceSpec, field: keyof ServiceSpec): void {
  if (spec[field] === before[field]) delete spec[field]
}
