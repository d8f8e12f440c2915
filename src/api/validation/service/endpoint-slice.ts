// EndpointSlices. Upstream: pkg/apis/discovery/validation.
import { isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName } from '../../names.ts'
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from '../../types/discovery-v1.ts'
import { validateEndpointIp, validateIp } from '../addresses.ts'
import {
  duplicate,
  each,
  type FieldError,
  immutable,
  invalidValue,
  oneOf,
  required,
  tooMany,
} from '../field-error.ts'
import { PROTOCOLS } from '../pod/ports.ts'

const TYPES = ['FQDN', 'IPv4', 'IPv6']
const MOST = { endpoints: 1000, ports: 20_000, addresses: 100, zoneHints: 8, nodeHints: 8 }

export const validateEndpointSlice = (slice: EndpointSlice): FieldError[] => check(slice, [])

export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): FieldError[] {
  const had = (old.endpoints ?? []).flatMap(({ addresses }) => addresses)
  return [...check(slice, had), ...immutable('addressType', slice.addressType, old.addressType)]
}

function check({ addressType, endpoints, ports }: EndpointSlice, had: readonly string[]): FieldError[] {
  return [
    ...oneOf('addressType', addressType, TYPES),
    ...endpointsErrors(endpoints ?? [], addressType, had),
    ...portsErrors(ports ?? []),
  ]
}

function endpointsErrors(all: readonly Endpoint[], type: string, had: readonly string[]): FieldError[] {
  if (all.length > MOST.endpoints) return [tooMany('endpoints', all.length, MOST.endpoints)]
  return all.flatMap((endpoint, index) => {
    const path = `endpoints[${index}]`
    const { hostname, nodeName, hints } = endpoint
    return [
      ...addressesErrors(endpoint.addresses ?? [], `${path}.addresses`, type, had),
      ...(hostname === undefined ? [] : each(`${path}.hostname`, hostname, isDns1123Label)),
      ...(nodeName === undefined ? [] : each(`${path}.nodeName`, nodeName, isDns1123Subdomain)),
      ...(hints ? hintErrors(hints, `${path}.hints`) : []),
    ]
  })
}

function addressesErrors(list: readonly string[], path: string, type: string, had: readonly string[]) {
  const errors: FieldError[] = []
  if (list.length === 0) errors.push(required(path, 'must contain at least 1 address'))
  if (list.length > MOST.addresses) errors.push(tooMany(path, list.length, MOST.addresses))
  return [...errors, ...list.flatMap((text, index) => addressErrors(text, `${path}[${index}]`, type, had))]
}

function addressErrors(text: string, path: string, type: string, had: readonly string[]): FieldError[] {
  if (type === 'FQDN') return fqdnErrors(text, path)
  if (type !== 'IPv4' && type !== 'IPv6') return []
  const errors = validateIp(text, path, had)
  if (errors.length === 0 && text.includes(':') !== (type === 'IPv6'))
    errors.push(invalidValue(path, text, `must be an ${type} address`))
  return [...errors, ...validateEndpointIp(text, path)]
}

/** Upstream: IsFullyQualifiedDomainName. */
function fqdnErrors(text: string, path: string): FieldError[] {
  if (text === '') return [required(path)]
  const name = text.replace(/\.$/, '')
  const errors = each(path, name, isDns1123Subdomain).map(error => ({ ...error, field: path }))
  if (errors.length > 0) return errors
  return name.split('.').length < 2
    ? [invalidValue(path, name, 'should be a domain with at least two segments separated by dots')]
    : name.split('.').flatMap(label => each(path, label, isDns1123Label))
}

function hintErrors({ forZones = [], forNodes = [] }: EndpointHints, path: string): FieldError[] {
  return [
    ...namesErrors(forZones, `${path}.forZones`, MOST.zoneHints, isLabelValue),
    ...namesErrors(forNodes, `${path}.forNodes`, MOST.nodeHints, isDns1123Subdomain),
  ]
}

function namesErrors(
  list: readonly { name: string }[],
  path: string,
  most: number,
  isValid: (name: string) => string[],
): FieldError[] {
  if (list.length > most) return [tooMany(path, list.length, most)]
  const seen = new Set<string>()
  return list.flatMap(({ name }, index) => {
    const field = `${path}[${index}].name`
    const errors = seen.has(name) ? [duplicate(field, name)] : []
    seen.add(name)
    return [...errors, ...(name ? each(field, name, isValid) : [required(field)])]
  })
}

function portsErrors(ports: readonly EndpointPort[]): FieldError[] {
  if (ports.length > MOST.ports) return [tooMany('ports', ports.length, MOST.ports)]
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const path = `ports[${index}]`
    const name = port.name ?? ''
    const errors = name ? each(`${path}.name`, name, isDns1123Label) : []
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
    errors.push(...oneOf(`${path}.protocol`, port.protocol, PROTOCOLS))
    if (port.appProtocol !== undefined)
      errors.push(...each(`${path}.appProtocol`, port.appProtocol, isQualifiedName))
    return errors
  })
}
