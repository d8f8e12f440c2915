// What a Service must be to be stored. Upstream: core/validation ValidateService.
import { isDns1123Subdomain, isPortNumber, isQualifiedName } from '../../names.ts'
import type { Service, ServiceSpec } from '../../types/core-v1.ts'
import { validateCidr, validateEndpointIp, validateIp } from '../addresses.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  oneOf,
  required,
} from '../field-error.ts'
import { validateLabels } from '../object-meta.ts'
import { isHeadless, validateClusterIps } from './cluster-ips.ts'
import { validateServicePorts } from './service-ports.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const TRAFFIC_POLICIES = ['Cluster', 'Local']
const AFFINITIES = ['ClientIP', 'None']
const DISTRIBUTIONS = ['PreferClose', 'PreferSameNode', 'PreferSameZone']
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const HINTS = 'service.kubernetes.io/topology-aware-hints'
const MODE = 'service.kubernetes.io/topology-mode'
/** Upstream: MaxClientIPServiceAffinitySeconds, a day. */
const MOST_AFFINITY_SECONDS = 86_400
const BALANCER_ONLY = "may only be used when `type` is 'LoadBalancer'"

/** Besides metadata. Values that `old` had already are not judged again where upstream does not. */
export function validateService(service: Service, old?: Service): FieldError[] {
  const { spec } = service
  return [
    ...annotationErrors(service),
    ...typeErrors(spec),
    ...validateServicePorts(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...affinityErrors(spec),
    ...validateClusterIps(service, old),
    ...externalIpErrors(spec, old?.spec),
    ...oneOf('spec.type', spec.type, TYPES),
    ...nodePortErrors(spec),
    ...balancerErrors(service, old),
    ...trafficErrors(spec),
  ]
}

function annotationErrors({ metadata }: Service): FieldError[] {
  const hints = metadata.annotations?.[HINTS]
  const mode = metadata.annotations?.[MODE]
  if (hints === undefined || mode === undefined || hints === mode) return []
  const why = `must match annotations[${HINTS}] when both are specified`
  return [invalidValue(`metadata.annotations[${MODE}]`, mode, why)]
}

function typeErrors(spec: ServiceSpec): FieldError[] {
  const { type, ports = [], clusterIPs } = spec
  const errors: FieldError[] = []
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(required('spec.ports'))
  if (type === 'ExternalName') return [...errors, ...externalNameErrors(spec)]
  if (isHeadless(spec) && (type === 'LoadBalancer' || type === 'NodePort')) {
    const why = `may not be set to 'None' for ${type} services`
    errors.push(invalidValue('spec.clusterIPs[0]', clusterIPs![0], why))
  }
  return errors
}

function externalNameErrors({
  clusterIPs,
  ipFamilies,
  ipFamilyPolicy,
  externalName,
}: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  const why = 'may not be set for ExternalName services'
  if (clusterIPs?.length) errors.push(forbiddenField('spec.clusterIPs', why))
  if (ipFamilies?.length) errors.push(forbiddenField('spec.ipFamilies', why))
  if (ipFamilyPolicy !== undefined) errors.push(forbiddenField('spec.ipFamilyPolicy', why))
  const name = (externalName ?? '').replace(/\.$/, '')
  if (!name) return [...errors, required('spec.externalName')]
  return [...errors, ...each('spec.externalName', name, isDns1123Subdomain)]
}

function affinityErrors({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const errors = oneOf('spec.sessionAffinity', sessionAffinity, AFFINITIES)
  const path = 'spec.sessionAffinityConfig'
  if (sessionAffinity === 'None' && sessionAffinityConfig !== undefined)
    return [...errors, forbiddenField(path, 'must not be set when session affinity is None')]
  if (sessionAffinity !== 'ClientIP') return errors
  const why = 'when session affinity type is ClientIP'
  if (!sessionAffinityConfig) return [...errors, required(path, why)]
  if (!sessionAffinityConfig.clientIP) return [...errors, required(`${path}.clientIP`, why)]
  const { timeoutSeconds } = sessionAffinityConfig.clientIP
  const field = `${path}.clientIP.timeoutSeconds`
  if (timeoutSeconds === undefined) return [...errors, required(field, why)]
  if (timeoutSeconds > 0 && timeoutSeconds <= MOST_AFFINITY_SECONDS) return errors
  const range = `must be greater than 0 and less than ${MOST_AFFINITY_SECONDS}`
  return [...errors, invalidValue(field, timeoutSeconds, range)]
}

function externalIpErrors({ externalIPs = [] }: ServiceSpec, old: ServiceSpec | undefined): FieldError[] {
  return externalIPs.flatMap((ip, index) => {
    const path = `spec.externalIPs[${index}]`
    const errors = validateIp(ip, path, old?.externalIPs ?? [])
    return errors.length > 0 ? errors : validateEndpointIp(ip, path)
  })
}

function nodePortErrors({ type, ports = [] }: ServiceSpec): FieldError[] {
  if (type !== 'ClusterIP') return []
  return ports.flatMap(({ nodePort }, index) =>
    nodePort
      ? [forbiddenField(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'")]
      : [],
  )
}

function balancerErrors(service: Service, old: Service | undefined): FieldError[] {
  const { spec } = service
  const { type, allocateLoadBalancerNodePorts: nodePorts, loadBalancerClass } = spec
  const isBalancer = type === 'LoadBalancer'
  const errors = sourceRangeErrors(service, old)
  if (nodePorts !== undefined && !isBalancer)
    errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', BALANCER_ONLY))
  if (isBalancer && nodePorts === undefined) errors.push(required('allocateLoadBalancerNodePorts'))
  if (loadBalancerClass === undefined) return errors
  const path = 'spec.loadBalancerClass'
  if (!isBalancer) return [...errors, forbiddenField(path, BALANCER_ONLY)]
  return [...errors, ...each(path, loadBalancerClass, isQualifiedName)]
}

/** In the field, or as older clients say it in an annotation. The field's name is upstream's. */
function sourceRangeErrors({ metadata, spec }: Service, old: Service | undefined): FieldError[] {
  const had = (old?.spec.loadBalancerSourceRanges ?? []).map(range => range.trim())
  const { loadBalancerSourceRanges: ranges = [], type } = spec
  const annotation = metadata.annotations?.[SOURCE_RANGES]
  const field = ranges.length > 0 ? 'spec.LoadBalancerSourceRanges' : `metadata.annotations[${SOURCE_RANGES}]`
  if (ranges.length === 0 && annotation === undefined) return []
  const misplaced = type === 'LoadBalancer' ? [] : [forbiddenField(field, BALANCER_ONLY)]
  if (ranges.length > 0)
    return [
      ...misplaced,
      ...ranges.flatMap((range, index) => validateCidr(range.trim(), `${field}[${index}]`, had)),
    ]
  const text = annotation!.trim()
  const listed = text ? text.split(',') : []
  return [...misplaced, ...listed.flatMap(range => validateCidr(range.trim(), field))]
}

const isExternallyAccessible = ({ type, externalIPs }: ServiceSpec) =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (externalIPs?.length ?? 0) > 0)

export const needsHealthCheck = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

function trafficErrors(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: external, internalTrafficPolicy: internal, trafficDistribution } = spec
  const errors: FieldError[] = []
  const path = 'spec.externalTrafficPolicy'
  if (isExternallyAccessible(spec)) errors.push(...oneOf(path, external, TRAFFIC_POLICIES))
  else if (external)
    errors.push(invalidValue(path, external, 'may only be set for externally-accessible services'))
  errors.push(...healthCheckErrors(spec))
  if (internal !== undefined || spec.type !== 'ExternalName')
    errors.push(...oneOf('spec.internalTrafficPolicy', internal, TRAFFIC_POLICIES))
  if (trafficDistribution !== undefined && !DISTRIBUTIONS.includes(trafficDistribution))
    errors.push(notSupported('spec.trafficDistribution', trafficDistribution, DISTRIBUTIONS))
  return errors
}

function healthCheckErrors(spec: ServiceSpec): FieldError[] {
  const { healthCheckNodePort: port } = spec
  const path = 'spec.healthCheckNodePort'
  if (!needsHealthCheck(spec)) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    return port ? [invalidValue(path, port, why)] : []
  }
  return port ? isPortNumber(port).map(why => invalidValue(path, port, why)) : [required(path)]
}
