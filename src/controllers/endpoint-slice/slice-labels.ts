// Labels of the slices of a Service: the Service's own and those by which slices are found.
// Upstream: endpointslice/utils.go setEndpointSliceLabels.
import type { Service } from '../../api/types/core-v1.ts'
import { isHeadless } from '../service-membership.ts'

export const SERVICE_NAME = 'kubernetes.io/service-name'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
export const HEADLESS = 'service.kubernetes.io/headless'
export const CONTROLLER = 'endpointslice-controller.k8s.io'

const RESERVED = new Set([SERVICE_NAME, MANAGED_BY, HEADLESS])

export const withoutReserved = (labels: Record<string, string> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(labels ?? {}).filter(([key]) => !RESERVED.has(key)))

export function sliceLabels(service: Service): Record<string, string> {
  return {
    ...withoutReserved(service.metadata.labels),
    ...(isHeadless(service) && { [HEADLESS]: '' }),
    [SERVICE_NAME]: service.metadata.name,
    [MANAGED_BY]: CONTROLLER,
  }
}
