// Fills in ipFamilies and ipFamilyPolicy of a Service in a cluster that has IPv4 only, and refuses what such a cluster
// cannot give. Upstream: pkg/registry/core/service/storage/alloc.go initIPFamilyFields.
import type { IPFamily, Service } from '../../../../api/types/core-v1.ts'
import { type FieldError, invalidValue } from '../../../../api/validation/field-error.ts'
import { validateClusterIps } from '../../../../api/validation/service/cluster-ips.ts'

const CLUSTER_FAMILY: IPFamily = 'IPv4'
const POLICY = 'spec.ipFamilyPolicy'

/** Changes the service; answers what is wrong with it. */
export function fillFamilies(service: Service, old: Service | undefined): FieldError[] {
  const { spec } = service
  if (spec.type === 'ExternalName') return []
  if (old && keepsPreferredDualStack(service, old)) return []
  const isSelectorless = Object.keys(spec.selector ?? {}).length === 0
  const isFree = spec.clusterIP === 'None' && isSelectorless
  spec.ipFamilyPolicy ??= old?.spec.ipFamilyPolicy ?? (isFree ? 'RequireDualStack' : 'SingleStack')
  const loose = validateClusterIps(service)
  if (loose.length > 0) return loose
  const errors = [...(old ? reductions(service, old) : []), ...surplus(service), ...inferFamilies(service)]
  if (errors.length > 0) return errors
  if (isFree) {
    fillFreeFamilies(service)
    return []
  }
  const refused = beyondThisCluster(service)
  if (refused.length === 0 && !spec.ipFamilies?.length) spec.ipFamilies = [CLUSTER_FAMILY]
  return refused
}

/** Such a Service follows the cluster only when asked. Upstream: isMatchingPreferDualStackClusterIPFields. */
function keepsPreferredDualStack({ spec }: Service, { spec: old }: Service): boolean {
  return (
    spec.type === old.type &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    old.ipFamilyPolicy === 'PreferDualStack' &&
    sameList(spec.clusterIPs, old.clusterIPs) &&
    sameList(spec.ipFamilies, old.ipFamilies)
  )
}

export const sameList = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index])

const shorter = (list: readonly string[] = [], old: readonly string[] = []) =>
  list.length > 0 && list.length < old.length

function reductions({ spec }: Service, { spec: old }: Service): FieldError[] {
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (sameList(spec.clusterIPs, old.clusterIPs) && (spec.clusterIPs?.length ?? 0) > 1)
      spec.clusterIPs = spec.clusterIPs!.slice(0, 1)
    if (sameList(spec.ipFamilies, old.ipFamilies) && (spec.ipFamilies?.length ?? 0) > 1)
      spec.ipFamilies = spec.ipFamilies!.slice(0, 1)
    return []
  }
  const release = (what: string) =>
    invalidValue(POLICY, spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`)
  return [
    ...(shorter(spec.clusterIPs, old.clusterIPs) ? [release('cluster IP')] : []),
    ...(shorter(spec.ipFamilies, old.ipFamilies) ? [release('IP family')] : []),
  ]
}

function surplus({ spec }: Service): FieldError[] {
  if (spec.ipFamilyPolicy !== 'SingleStack') return []
  const two = (what: string) =>
    invalidValue(
      POLICY,
      spec.ipFamilyPolicy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    )
  return [
    ...(spec.clusterIPs?.length === 2 ? [two('cluster IPs')] : []),
    ...(spec.ipFamilies?.length === 2 ? [two('IP families')] : []),
  ]
}

/** Addresses tell their families. */
function inferFamilies({ spec }: Service): FieldError[] {
  const errors: FieldError[] = []
  for (const [index, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None') break
    if (index < (spec.ipFamilies?.length ?? 0)) continue
    const family: IPFamily = ip.includes(':') ? 'IPv6' : 'IPv4'
    if (family === CLUSTER_FAMILY) spec.ipFamilies = [...(spec.ipFamilies ?? []), family]
    else {
      const why = `${family} is not configured on this cluster`
      errors.push(invalidValue(`spec.clusterIPs[${index}]`, spec.clusterIPs, why))
    }
  }
  return errors
}

/** Without a selector and an address of its own, a Service may have families that the cluster does not. */
function fillFreeFamilies({ spec }: Service): void {
  if (!spec.ipFamilies?.length) spec.ipFamilies = [CLUSTER_FAMILY]
  if (spec.ipFamilies.length < 2 && spec.ipFamilyPolicy !== 'SingleStack')
    spec.ipFamilies = [spec.ipFamilies[0]!, spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4']
}

function beyondThisCluster({ spec }: Service): FieldError[] {
  const errors: FieldError[] = []
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    const why = 'this cluster is not configured for dual-stack services'
    errors.push(invalidValue(POLICY, spec.ipFamilyPolicy, why))
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (family !== CLUSTER_FAMILY)
      errors.push(invalidValue(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'))
  }
  return errors
}
