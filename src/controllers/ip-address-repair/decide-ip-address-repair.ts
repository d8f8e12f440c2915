// Whether cluster addresses of Services and the IPAddress objects that stand for them point at each other, and what to
// do where they do not. Pure. Upstream: pkg/registry/core/service/ipallocator/controller/repairip.go.
import { parseIp } from '../../api/ip.ts'
import type { Service } from '../../api/types/core-v1.ts'
import type { IPAddress, ParentReference, ServiceCIDR } from '../../api/types/networking-v1.ts'
import { contains } from '../service-cidrs/decide-service-cidr.ts'

const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by'
const MANAGER = 'ipallocator.k8s.io'
const FAMILY = 'ipaddress.kubernetes.io/ip-family'

/** An object is made before its Service is stored: it may be alone for as long as a request may take. */
export const ORPHAN_GRACE_MS = 60_000

export interface Report {
  reason: string
  note: string
}

export interface AddressRepair {
  ip: string
  object: 'keep' | 'create' | 'recreate'
  report?: Report
}

export interface RepairWorld {
  address(ip: string): IPAddress | undefined
  service(key: string): Service | undefined
  cidrs: readonly ServiceCIDR[]
}

/** One for every address of the Service that is not in order. */
export function decideServiceAddresses(service: Service, world: RepairWorld): AddressRepair[] {
  const ips = service.spec.clusterIPs ?? []
  if (service.spec.type === 'ExternalName') return []
  return ips
    .filter(ip => ip !== '' && ip !== 'None')
    .flatMap(ip => {
      const repair = repairOf(ip, service, world)
      return repair ? [{ ip, ...repair }] : []
    })
}

type Repair = Omit<AddressRepair, 'ip'>

function repairOf(ip: string, service: Service, world: RepairWorld): Repair | undefined {
  const { name, namespace } = service.metadata
  const family = familyOf(ip)
  const report = (reason: string, note: string) => ({ reason, note })
  if (!world.cidrs.some(cidr => contains(cidr, ip))) {
    const note = `Cluster IP [${family}]: ${ip} is not within any configured Service CIDR; please recreate service`
    return { object: 'keep', report: report('ClusterIPOutOfRange', note) }
  }
  const address = world.address(ip)
  if (!address) {
    const note = `Cluster IP [${family}]: ${ip} is not allocated; repairing`
    return { object: 'create', report: report('ClusterIPNotAllocated', note) }
  }
  const parent = parentOf(address)
  const other = parent === undefined ? undefined : world.service(parent)
  if (parent !== `${namespace}/${name}` && !other) {
    const note = `the ClusterIP [${family}]: ${ip} for Service ${namespace}/${name} has a wrong reference; repairing`
    return { object: 'recreate', report: report('ClusterIPNotAllocated', note) }
  }
  const isShared = parent !== `${namespace}/${name}` && other!.spec.clusterIPs?.includes(ip)
  const shared = `Cluster IP [${family}]:${ip} was assigned to multiple services; please recreate service`
  const warning = isShared ? { report: report('ClusterIPAlreadyAllocated', shared) } : {}
  if (!isLabelled(address)) return { object: 'recreate', ...warning }
  return isShared ? { object: 'keep', ...warning } : undefined
}

export type OrphanVerdict = 'keep' | { waitMs: number } | Report

/** Objects of somebody else are nobody's business here. A report: it is to be removed, with these words. */
export function judgeAddress(address: IPAddress, service: Service | undefined, nowMs: number): OrphanVerdict {
  const { metadata, spec } = address
  if (metadata.labels?.[MANAGED_BY] !== MANAGER) return 'keep'
  const ip = metadata.name
  if (parentOf(address) === undefined) {
    const note = `IPAddress ${ip} appears to have been modified, not referencing a Service ${inWords(spec?.parentRef)}: cleaning up`
    return { reason: 'IPAddressNotAllocated', note }
  }
  const { namespace, name } = spec!.parentRef!
  const whose = `IPAddress: ${ip} for Service ${namespace}/${name}`
  if (service?.spec.clusterIPs?.includes(ip)) return 'keep'
  const waitMs = ORPHAN_GRACE_MS - (nowMs - Date.parse(metadata.creationTimestamp ?? ''))
  if (waitMs > 0) return { waitMs }
  return service
    ? { reason: 'IPAddressWrongReference', note: `${whose} has a wrong reference; cleaning up` }
    : { reason: 'IPAddressNotAllocated', note: `${whose} appears to have leaked: cleaning up` }
}

/** As the allocator makes it. */
export const addressFor = (ip: string, { metadata }: Service) => ({
  metadata: { name: ip, labels: { [FAMILY]: familyOf(ip), [MANAGED_BY]: MANAGER } },
  spec: {
    parentRef: { resource: 'services', namespace: metadata.namespace ?? '', name: metadata.name },
  },
})

/** 'namespace/name' of the Service that it stands for; undefined: it stands for something else. */
export function parentOf({ spec }: IPAddress): string | undefined {
  const { group, resource, namespace, name } = spec?.parentRef ?? {}
  return !group && resource === 'services' ? `${namespace}/${name}` : undefined
}

const familyOf = (ip: string) => (parseIp(ip)?.family === 6 ? 'IPv6' : 'IPv4')

const isLabelled = ({ metadata }: IPAddress) =>
  metadata.labels?.[FAMILY] === familyOf(metadata.name) && metadata.labels[MANAGED_BY] === MANAGER

/** As Go prints a ParentReference. */
const inWords = ({ group = '', resource = '', namespace = '', name = '' }: Partial<ParentReference> = {}) =>
  `&ParentReference{Group:${group},Resource:${resource},Namespace:${namespace},Name:${name},}`
