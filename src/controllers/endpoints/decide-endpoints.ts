// The Endpoints object that a Service and its pods ask for. Pure.
// Upstream: pkg/controller/endpoint/endpoints_controller.go syncService.
import { isDeepStrictEqual } from 'node:util'
import type { Draft } from '../../api/kube-object.ts'
import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
  Pod,
  Service,
  ServicePort,
} from '../../api/types/core-v1.ts'
import { endpointHostname, findPort, isEndpoint, isHeadless, isPodReady } from '../service-membership.ts'
import { withTriggerTime } from '../trigger-times.ts'
import { repackSubsets } from './repack-subsets.ts'
import { MOST_ADDRESSES, truncateSubsets } from './truncate-subsets.ts'

const HEADLESS = 'service.kubernetes.io/headless'
export const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
export const MANAGER = 'endpoint-controller'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'

export interface EndpointsInput {
  service: Service
  /** Those that the Service selects. */
  pods: readonly Pod[]
  present: Endpoints | undefined
  /** Of what brought this about, RFC 3339. */
  triggerTime: string | undefined
}

/** Undefined: nothing is to be written. */
export function decideEndpoints(input: EndpointsInput): Draft<Endpoints> | Endpoints | undefined {
  const { service, pods, present, triggerTime } = input
  const subsets = repackSubsets(pods.flatMap(pod => subsetsOf(pod, service)))
  const labels = labelsOf(service)
  if (present && isAsWanted(present, subsets, labels)) return undefined
  const truncated = truncateSubsets(subsets)
  const { [OVER_CAPACITY]: _, ...others } = present?.metadata.annotations ?? {}
  const annotations = {
    ...withTriggerTime(others, triggerTime),
    ...(truncated !== subsets && { [OVER_CAPACITY]: 'truncated' }),
  }
  if (present)
    return { ...present, metadata: { ...present.metadata, labels, annotations }, subsets: truncated }
  const { name, namespace } = service.metadata
  return { metadata: { name, ...(namespace && { namespace }), labels, annotations }, subsets: truncated }
}

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS]: _, ...own } = service.metadata.labels ?? {}
  return { ...own, [MANAGED_BY]: MANAGER, ...(isHeadless(service) && { [HEADLESS]: '' }) }
}

/** Versions of pods in references do not count, and what is over capacity is always written anew. */
function isAsWanted(present: Endpoints, subsets: readonly EndpointSubset[], labels: Record<string, string>) {
  const count = countAddresses(present.subsets ?? [])
  const rightCapacity = count <= MOST_ADDRESSES && !(OVER_CAPACITY in (present.metadata.annotations ?? {}))
  return (
    rightCapacity &&
    isDeepStrictEqual(present.metadata.labels ?? {}, labels) &&
    isDeepStrictEqual(withoutVersions(present.subsets ?? []), withoutVersions(subsets))
  )
}

const countAddresses = (subsets: readonly EndpointSubset[]) =>
  subsets.reduce((sum, { addresses, notReadyAddresses }) => {
    return sum + (addresses?.length ?? 0) + (notReadyAddresses?.length ?? 0)
  }, 0)

const withoutVersions = (subsets: readonly EndpointSubset[]) =>
  JSON.parse(JSON.stringify(subsets, (key, value) => (key === 'resourceVersion' ? undefined : value)))

function subsetsOf(pod: Pod, service: Service): EndpointSubset[] {
  const { publishNotReadyAddresses = false, ports = [] } = service.spec
  if (!isEndpoint(pod, publishNotReadyAddresses)) return []
  const address = addressOf(pod, service)
  if (!address) return []
  const addresses =
    publishNotReadyAddresses || isPodReady(pod) ? { addresses: [address] } : { notReadyAddresses: [address] }
  if (ports.length === 0) return isHeadless(service) ? [addresses] : []
  return ports.flatMap(port => {
    const number = findPort(pod, port)
    return number === undefined ? [] : [{ ...addresses, ports: [endpointPort(port, number)] }]
  })
}

const endpointPort = ({ name, protocol, appProtocol }: ServicePort, port: number): EndpointPort => ({
  ...(name && { name }),
  port,
  protocol: protocol ?? 'TCP',
  ...(appProtocol && { appProtocol }),
})

/** Of the Service's first family only. Upstream: podToEndpointAddressForService. */
function addressOf(pod: Pod, service: Service): EndpointAddress | undefined {
  const { status, metadata, spec } = pod
  const ip = addressIn(status.podIPs ?? [], familyOf(service)) ?? (status.podIPs ? undefined : status.podIP)
  if (!ip) return undefined
  const hostname = endpointHostname(pod, service)
  return {
    ip,
    ...(hostname && { hostname }),
    ...(spec.nodeName && { nodeName: spec.nodeName }),
    targetRef: {
      kind: 'Pod',
      ...(metadata.namespace && { namespace: metadata.namespace }),
      name: metadata.name,
      ...(metadata.uid && { uid: metadata.uid }),
    },
  }
}

function familyOf({ spec }: Service): 'IPv4' | 'IPv6' {
  if (spec.ipFamilies?.length) return spec.ipFamilies[0] === 'IPv6' ? 'IPv6' : 'IPv4'
  return spec.clusterIP?.includes(':') ? 'IPv6' : 'IPv4'
}

const addressIn = (ips: readonly { ip?: string }[], family: 'IPv4' | 'IPv6') =>
  ips.find(({ ip }) => ip !== undefined && ip.includes(':') === (family === 'IPv6'))?.ip
