// Endpoints. Upstream: core/validation ValidateEndpoints.
import { isDns1123Label, isDns1123Subdomain, isQualifiedName } from '../../names.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from '../../types/core-v1.ts'
import { validateEndpointIp, validateIp } from '../addresses.ts'
import { each, type FieldError, oneOf, required, same } from '../field-error.ts'
import { PROTOCOLS, validatePortNumber } from '../pod/ports.ts'

export const validateEndpoints = ({ subsets = [] }: Endpoints): FieldError[] =>
  subsets.flatMap((subset, index) => subsetErrors(subset, `subsets[${index}]`, []))

/** Subsets that are as before are let through. */
export function validateEndpointsUpdate(endpoints: Endpoints, old: Endpoints): FieldError[] {
  const { subsets = [] } = endpoints
  if (same(subsets, old.subsets ?? [])) return []
  const had = (old.subsets ?? []).flatMap(addressesOf).map(({ ip }) => ip)
  return subsets.flatMap((subset, index) => subsetErrors(subset, `subsets[${index}]`, had))
}

const addressesOf = ({ addresses = [], notReadyAddresses = [] }: EndpointSubset) => [
  ...addresses,
  ...notReadyAddresses,
]

/** Upstream: validateEndpointSubsets. */
function subsetErrors(subset: EndpointSubset, path: string, had: readonly string[]): FieldError[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset
  const none =
    addresses.length + notReadyAddresses.length === 0
      ? [required(path, 'must specify `addresses` or `notReadyAddresses`')]
      : []
  const check = (list: readonly EndpointAddress[], name: string) =>
    list.flatMap((address, index) => addressErrors(address, `${path}.${name}[${index}]`, had))
  return [
    ...none,
    ...check(addresses, 'addresses'),
    ...check(notReadyAddresses, 'notReadyAddresses'),
    ...ports.flatMap((port, index) => portErrors(port, `${path}.ports[${index}]`, ports.length > 1)),
  ]
}

function addressErrors({ ip, hostname, nodeName }: EndpointAddress, path: string, had: readonly string[]) {
  const errors = validateIp(ip, `${path}.ip`, had)
  if (hostname) errors.push(...each(`${path}.hostname`, hostname, isDns1123Label))
  if (nodeName !== undefined) errors.push(...each(`${path}.nodeName`, nodeName, isDns1123Subdomain))
  return errors.length > 0 ? errors : validateEndpointIp(ip, `${path}.ip`)
}

function portErrors(port: EndpointPort, path: string, needsName: boolean): FieldError[] {
  const { name, protocol, appProtocol } = port
  const errors: FieldError[] = []
  if (needsName && !name) errors.push(required(`${path}.name`))
  else if (name) errors.push(...each(`${path}.name`, name, isDns1123Label))
  errors.push(...validatePortNumber(port.port ?? 0, `${path}.port`))
  errors.push(...oneOf(`${path}.protocol`, protocol, PROTOCOLS))
  if (appProtocol !== undefined) errors.push(...each(`${path}.appProtocol`, appProtocol, isQualifiedName))
  return errors
}
