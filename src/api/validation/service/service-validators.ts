// Services and what belongs to them: 'group/Kind' → checks.
import { isDns1035Label } from '../../names.ts'
import type { Endpoints, Service } from '../../types/core-v1.ts'
import type { EndpointSlice } from '../../types/discovery-v1.ts'
import type { NetworkPolicy } from '../../types/networking-v1.ts'
import { validateNetworkPolicy } from '../network-policy.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import type { Validator } from '../validator.ts'
import { validateEndpointSlice, validateEndpointSliceUpdate } from './endpoint-slice.ts'
import { validateEndpoints, validateEndpointsUpdate } from './endpoints.ts'
import { validateService } from './service.ts'
import {
  isIpAddressName,
  validateIpAddress,
  validateIpAddressUpdate,
  validateServiceCidr,
  validateServiceCidrUpdate,
} from './service-ranges.ts'
import { validateServiceStatusUpdate, validateServiceUpdate } from './service-update.ts'

/** Addresses written before they were judged strictly stay valid: updates are told what was there. */
const withOld = <T extends { metadata: Service['metadata'] }>(
  check: (object: T, old: T) => ReturnType<typeof validateService>,
) => ({
  '': (object: T, old: T) => [
    ...validateObjectMetaUpdate(object.metadata, old.metadata),
    ...check(object, old),
  ],
})

export const serviceValidators: Record<string, Validator> = {
  '/Service': {
    name: isDns1035Label,
    create: (service: Service) => validateService(service),
    subresources: {
      ...withOld((service: Service, old: Service) => [
        ...validateServiceUpdate(service, old),
        ...validateService(service, old),
      ]),
      status: validateServiceStatusUpdate,
    },
  },
  '/Endpoints': {
    create: validateEndpoints,
    subresources: withOld((endpoints: Endpoints, old: Endpoints) => validateEndpointsUpdate(endpoints, old)),
  },
  'discovery.k8s.io/EndpointSlice': {
    create: validateEndpointSlice,
    subresources: withOld((slice: EndpointSlice, old: EndpointSlice) =>
      validateEndpointSliceUpdate(slice, old),
    ),
  },
  'networking.k8s.io/IPAddress': {
    name: isIpAddressName,
    create: validateIpAddress,
    update: validateIpAddressUpdate,
  },
  'networking.k8s.io/NetworkPolicy': {
    create: (policy: NetworkPolicy) => validateNetworkPolicy(policy),
    subresources: withOld(validateNetworkPolicy),
  },
  'networking.k8s.io/ServiceCIDR': { create: validateServiceCidr, update: validateServiceCidrUpdate },
}
