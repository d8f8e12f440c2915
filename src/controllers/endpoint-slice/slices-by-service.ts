// The EndpointSlices that one controller makes, by the Service they stand for.
import { endpointSlices } from '../../api/resources.ts'
import type { EndpointSlice } from '../../api/types/discovery-v1.ts'
import { Informer } from '../../client/informer.ts'
import type { ControllerContext } from '../controller-context.ts'
import { MANAGED_BY, SERVICE_NAME } from './slice-labels.ts'

const BY_SERVICE = 'service'

/** The key of the Service that a slice belongs to. */
export const serviceOf = ({ metadata }: EndpointSlice): string =>
  `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`

/** Slices of other makers are not seen at all. */
export function slicesManagedBy(
  controller: string,
  { client, clock, log }: ControllerContext,
): Informer<EndpointSlice> {
  return new Informer({
    client,
    resource: endpointSlices,
    clock,
    log,
    labelSelector: `${MANAGED_BY}=${controller}`,
    indexers: { [BY_SERVICE]: slice => [serviceOf(slice)] },
  })
}

/** `key` is a Service's. */
export function slicesOf(slices: Informer<EndpointSlice>, key: string): readonly EndpointSlice[] {
  return slices.lister.byIndex(BY_SERVICE, key)
}
