// Where a Service's own servers listen: the API server goes to them directly, not through the proxy.
// Upstream: apiserver pkg/util/proxy ResolveEndpoint.
import type { Service } from '../api/types/core-v1.ts'
import type { EndpointSlice } from '../api/types/discovery-v1.ts'
import type { ObjectLookup } from './admission/object-lookup.ts'

export interface ServicePort {
  namespace: string
  name: string
  port: number
}

export type ServiceAddress =
  | { host: string; port: number }
  /** The Service is missing, or nothing stands behind it. */
  | { problem: 'missing' | 'empty' }

export async function serviceAddress(
  { namespace, name, port }: ServicePort,
  lookup: ObjectLookup,
): Promise<ServiceAddress> {
  const service = lookup.findIn('services', namespace, name) as unknown as Service | undefined
  if (!service) return { problem: 'missing' }
  if (service.spec.type === 'ExternalName' && service.spec.externalName)
    return { host: service.spec.externalName, port }
  const slices = (await lookup.listIn('discovery.k8s.io/endpointslices', namespace)).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name,
  ) as unknown as EndpointSlice[]
  return endpointFor(service, slices, port) ?? { problem: 'empty' }
}

/** Any ready endpoint of the Service's port. */
function endpointFor({ spec }: Service, slices: readonly EndpointSlice[], port: number) {
  const wanted = spec.ports?.find(one => one.port === port)
  if (!wanted) return undefined
  for (const { endpoints, ports = [] } of slices) {
    const number = ports.find(({ name }) => (name ?? '') === (wanted.name ?? ''))?.port
    const host = endpoints.find(({ conditions }) => conditions?.ready !== false)?.addresses[0]
    if (host && number) return { host, port: number }
  }
  return undefined
}
