// What may become of a Service. Upstream: core/validation ValidateServiceUpdate, ValidateServiceStatusUpdate.
import { isDns1123Subdomain } from '../../names.ts'
import type { LoadBalancerIngress, Service } from '../../types/core-v1.ts'
import { validateIp } from '../addresses.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  IMMUTABLE,
  invalidValue,
  oneOf,
  required,
} from '../field-error.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import { isHeadless } from './cluster-ips.ts'
import { needsHealthCheck } from './service.ts'

const UNCHANGEABLE = 'may not change once set'

/** Besides metadata and what every Service must be. */
export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  return [
    ...addressChanges(service, old),
    ...familyChanges(service, old),
    ...classChange(service, old),
    ...healthCheckChange(service, old),
  ]
}

const concernsExternalName = (service: Service, old: Service) =>
  service.spec.type === 'ExternalName' || old.spec.type === 'ExternalName'

function addressChanges(service: Service, old: Service): FieldError[] {
  if (concernsExternalName(service, old)) return []
  if (isHeadless(service.spec) && isHeadless(old.spec)) return []
  const { clusterIPs: ips = [], ipFamilyPolicy } = service.spec
  const before = old.spec.clusterIPs ?? []
  const at = (index: number, why: string) => invalidValue(`spec.clusterIPs[${index}]`, ips, why)
  if (ips.length === before.length)
    return before.flatMap((ip, index) => (ip === ips[index] ? [] : [at(index, UNCHANGEABLE)]))
  const errors: FieldError[] = []
  if (ips.length === 0) errors.push(at(0, 'primary clusterIP can not be unset'))
  if (before.length > 0 && ips.length > 0 && ips[0] !== before[0]) errors.push(at(0, UNCHANGEABLE))
  if (ips.length === 1 && before.length > 1 && ipFamilyPolicy !== 'SingleStack') {
    const why = "must be set to 'SingleStack' when releasing the secondary clusterIP"
    errors.push(invalidValue('spec.ipFamilyPolicy', ipFamilyPolicy, why))
  }
  return errors
}

function familyChanges(service: Service, old: Service): FieldError[] {
  if (concernsExternalName(service, old)) return []
  if (isHeadless(service.spec) || isHeadless(old.spec)) return []
  const { ipFamilies: families = [], ipFamilyPolicy } = service.spec
  const before = old.spec.ipFamilies ?? []
  const changed = invalidValue('spec.ipFamilies[0]', families, UNCHANGEABLE)
  if (families.length === before.length)
    return before.flatMap((family, index) => (family === families[index] ? [] : [changed]))
  const errors: FieldError[] = []
  if (families.length === 0)
    errors.push(invalidValue('spec.ipFamilies[0]', families, 'primary ipFamily can not be unset'))
  if (before.length > 0 && families.length > 0 && families[0] !== before[0])
    errors.push(invalidValue('spec.ipFamilies[0]', service.spec.clusterIPs, UNCHANGEABLE))
  if (families.length === 1 && before.length > 1 && ipFamilyPolicy !== 'SingleStack') {
    const why = "must be set to 'SingleStack' when releasing the secondary ipFamily"
    errors.push(invalidValue('spec.ipFamilyPolicy', ipFamilyPolicy, why))
  }
  return errors
}

function classChange({ spec }: Service, { spec: before }: Service): FieldError[] {
  if (spec.type !== 'LoadBalancer' || before.type !== 'LoadBalancer') return []
  if (spec.loadBalancerClass === before.loadBalancerClass) return []
  return [invalidValue('spec.loadBalancerClass', spec.loadBalancerClass, UNCHANGEABLE)]
}

function healthCheckChange({ spec }: Service, { spec: before }: Service): FieldError[] {
  if (!needsHealthCheck(spec) || !needsHealthCheck(before)) return []
  if (spec.healthCheckNodePort === before.healthCheckNodePort) return []
  return [forbiddenField('spec.healthCheckNodePort', IMMUTABLE)]
}

/** Everything wrong with an update of the status. */
export function validateServiceStatusUpdate(service: Service, old: Service): FieldError[] {
  const path = 'status.loadBalancer.ingress'
  const ingress = service.status.loadBalancer?.ingress ?? []
  const had = (old.status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
  const misplaced =
    service.spec.type !== 'LoadBalancer' && ingress.length > 0
      ? [forbiddenField(path, 'may only be used when `spec.type` is "LoadBalancer"')]
      : []
  return [
    ...validateObjectMetaUpdate(service.metadata, old.metadata),
    ...misplaced,
    ...ingress.flatMap((one, index) => ingressErrors(one, `${path}[${index}]`, had)),
  ]
}

/** Upstream: ValidateLoadBalancerStatus. */
function ingressErrors({ ip, ipMode, hostname }: LoadBalancerIngress, path: string, had: readonly string[]) {
  const errors: FieldError[] = []
  if (ip) errors.push(...validateIp(ip, `${path}.ip`, had))
  if (ip && ipMode === undefined)
    errors.push(required(`${path}.ipMode`, 'must be specified when `ip` is set'))
  else if (ip) errors.push(...oneOf(`${path}.ipMode`, ipMode, ['Proxy', 'VIP']))
  else if (ipMode !== undefined)
    errors.push(forbiddenField(`${path}.ipMode`, 'may not be specified when `ip` is not set'))
  if (!hostname) return errors
  errors.push(...each(`${path}.hostname`, hostname, isDns1123Subdomain))
  if (/^\d+\.\d+\.\d+\.\d+$/.test(hostname) || hostname.includes(':'))
    errors.push(invalidValue(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'))
  return errors
}
