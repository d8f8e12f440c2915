// clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy of a Service. Upstream: ValidateServiceClusterIPsRelatedFields.
import type { Service, ServiceSpec } from '../../types/core-v1.ts'
import { isDualStack, validateIp } from '../addresses.ts'
import { duplicate, type FieldError, invalidValue, notSupported, required } from '../field-error.ts'

const FAMILIES = ['IPv4', 'IPv6']
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const IPS = 'spec.clusterIPs'

export const isHeadless = ({ clusterIPs }: ServiceSpec): boolean =>
  clusterIPs?.length === 1 && clusterIPs[0] === 'None'

/** `old`'s addresses are let through as they are. */
export function validateClusterIps({ spec }: Service, old?: Service): FieldError[] {
  if (spec.type === 'ExternalName') return []
  const { errors: bad, skewed } = addressErrors(spec, old?.spec.clusterIPs ?? [])
  const errors = [...pairErrors(spec), ...familyErrors(spec), ...bad]
  return skewed ? errors : [...errors, ...stackErrors(spec), ...mismatches(spec)]
}

function pairErrors({ clusterIP, clusterIPs = [] }: ServiceSpec): FieldError[] {
  if (!clusterIP) {
    const why = 'must be empty when `clusterIP` is not specified'
    return clusterIPs.length > 0 ? [invalidValue(IPS, clusterIPs, why)] : []
  }
  if (clusterIPs.length === 0) return [required(IPS)]
  return clusterIPs[0] === clusterIP
    ? []
    : [invalidValue(IPS, clusterIPs, 'first value must match `clusterIP`')]
}

function familyErrors({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  for (const [index, family] of ipFamilies.entries()) {
    const field = `spec.ipFamilies[${index}]`
    if (!FAMILIES.includes(family)) errors.push(notSupported(field, family, FAMILIES))
    if (ipFamilies.indexOf(family) < index) errors.push(duplicate(field, family))
  }
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy))
    errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, POLICIES))
  return errors
}

/** Skewed: with an address that is none, what comes after would only confuse. */
function addressErrors({ clusterIPs = [] }: ServiceSpec, had: readonly string[]) {
  const errors: FieldError[] = []
  let skewed = false
  for (const [index, ip] of clusterIPs.entries()) {
    if (index === 0 && ip === 'None') {
      if (clusterIPs.length === 1) continue
      skewed = true
      errors.push(invalidValue(IPS, clusterIPs, "'None' must be the first and only value"))
      continue
    }
    const bad = validateIp(ip, `${IPS}[${index}]`, had)
    skewed ||= bad.length > 0
    errors.push(...bad)
  }
  if (clusterIPs.length > 2) errors.push(invalidValue(IPS, clusterIPs, 'may only hold up to 2 values'))
  return { errors, skewed }
}

function stackErrors({ clusterIPs = [] }: ServiceSpec): FieldError[] {
  if (clusterIPs.length < 2 || isDualStack(clusterIPs)) return []
  return [invalidValue(IPS, clusterIPs, 'may specify no more than one IP for each IP family')]
}

function mismatches(spec: ServiceSpec): FieldError[] {
  if (isHeadless(spec)) return []
  return (spec.clusterIPs ?? []).flatMap((ip, index) => {
    const family = spec.ipFamilies?.[index]
    if (family === undefined || (family === 'IPv6') === ip.includes(':')) return []
    const why = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``
    return [invalidValue(`${IPS}[${index}]`, ip, why)]
  })
}
