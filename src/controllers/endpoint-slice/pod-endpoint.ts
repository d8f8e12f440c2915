// One pod as an endpoint of a Service. Upstream: endpointslice/utils.go podToEndpoint, getEndpointPorts.
import type { Node, Pod, Service } from '../../api/types/core-v1.ts'
import type { Endpoint, EndpointPort } from '../../api/types/discovery-v1.ts'
import { endpointHostname, findPort, isHeadless, isPodReady } from '../service-membership.ts'

export type AddressType = 'IPv4' | 'IPv6'

const ZONE = 'topology.kubernetes.io/zone'

export function podEndpoint(
  pod: Pod,
  node: Node | undefined,
  service: Service,
  family: AddressType,
): Endpoint {
  const serving = isPodReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const { namespace, name, uid } = pod.metadata
  const zone = node?.metadata.labels?.[ZONE]
  const hostname = endpointHostname(pod, service)
  return {
    addresses: addressesOf(pod, family),
    conditions: {
      ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname && { hostname }),
    targetRef: { kind: 'Pod', ...(namespace && { namespace }), name, ...(uid && { uid }) },
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    ...(zone && { zone }),
  }
}

const addressesOf = ({ status }: Pod, family: AddressType): string[] =>
  (status.podIPs ?? [])
    .map(({ ip }) => ip)
    .filter(ip => ip !== undefined && ip.includes(':') === (family === 'IPv6'))

/** A port whose name the pod does not know is left out for that pod. */
export function podPorts(pod: Pod, service: Service): EndpointPort[] {
  const ports = service.spec.ports ?? []
  if (ports.length === 0 && isHeadless(service)) return []
  return ports.flatMap(port => {
    const number = findPort(pod, port)
    if (number === undefined) return []
    return [
      {
        name: port.name ?? '',
        protocol: port.protocol ?? 'TCP',
        port: number,
        ...(port.appProtocol && { appProtocol: port.appProtocol }),
      },
    ]
  })
}

/** Upstream: getAddressTypesForService. */
export function addressTypesOf({ spec }: Service): AddressType[] {
  if (spec.ipFamilies?.length) return [...new Set(spec.ipFamilies as AddressType[])]
  if (spec.clusterIP && spec.clusterIP !== 'None') return [spec.clusterIP.includes(':') ? 'IPv6' : 'IPv4']
  return ['IPv4', 'IPv6']
}
