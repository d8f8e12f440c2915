import type { EndpointSlice } from '../../api/types/discovery-v1.ts'
import type {
  Ingress,
  IngressClass,
  IPAddress,
  NetworkPolicy,
  ServiceCIDR,
} from '../../api/types/networking-v1.ts'
import { ageOf, formatLabelSelector, listWithMore, NONE } from './cells.ts'
import { loadBalancerAddresses } from './core.ts'
import { AGE, column, NAME, type TableKind } from './table.ts'

export const endpointSliceTable: TableKind<EndpointSlice> = {
  columns: [
    NAME,
    column('AddressType', 'IPv4, IPv6 or FQDN.'),
    column('Ports', 'Ports that all its endpoints have.'),
    column('Endpoints', 'Addresses in the slice.'),
    AGE,
  ],
  cells: ({ metadata, addressType, ports, endpoints }, now) => [
    metadata.name,
    addressType,
    formatSlicePorts(ports),
    listWithMore(
      (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
      3,
    ) || '<unset>',
    ageOf(metadata, now),
  ],
}

function formatSlicePorts(ports: EndpointSlice['ports']): string {
  const texts = (ports ?? []).map(({ port, name }) => (port === undefined ? name || '*' : String(port)))
  return listWithMore(texts, 3) || '<unset>'
}

export const ingressTable: TableKind<Ingress> = {
  columns: [
    NAME,
    column('Class', 'Ingress class that serves it.'),
    column('Hosts', 'Host names that its rules match.'),
    column('Address', 'Where it is reached.'),
    column('Ports', 'Ports that it opens.'),
    AGE,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.ingressClassName ?? NONE,
    formatHosts(spec.rules),
    loadBalancerAddresses(status.loadBalancer?.ingress).join(','),
    spec.tls?.length ? '80, 443' : '80',
    ageOf(metadata, now),
  ],
}

/** Counts rules, not hosts, behind 'more': so does upstream. */
function formatHosts(rules: Ingress['spec']['rules'] = []): string {
  const hosts = rules.map(({ host }) => host ?? '').filter(Boolean)
  if (hosts.length === 0) return '*'
  const text = hosts.slice(0, 3).join(',')
  return hosts.length > 3 ? `${text} + ${rules.length - 3} more...` : text
}

export const ingressClassTable: TableKind<IngressClass> = {
  columns: [
    NAME,
    column('Controller', 'Who serves ingresses of this class.'),
    column('Parameters', 'Object with further settings.'),
    AGE,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name,
    spec.controller ?? '',
    formatParameters(spec.parameters),
    ageOf(metadata, now),
  ],
}

function formatParameters(parameters: IngressClass['spec']['parameters']): string {
  if (!parameters) return NONE
  const { kind, apiGroup, name } = parameters
  return apiGroup ? `${kind}.${apiGroup}/${name}` : `${kind}/${name}`
}

export const networkPolicyTable: TableKind<NetworkPolicy> = {
  columns: [NAME, column('Pod-Selector', 'Pods that it is about.'), AGE],
  cells: ({ metadata, spec }, now) => [
    metadata.name,
    formatLabelSelector(spec.podSelector),
    ageOf(metadata, now),
  ],
}

export const serviceCidrTable: TableKind<ServiceCIDR> = {
  columns: [NAME, column('CIDRs', 'Ranges that service addresses are taken from.'), AGE],
  cells: ({ metadata, spec }, now) => [metadata.name, (spec.cidrs ?? []).join(','), ageOf(metadata, now)],
}

export const ipAddressTable: TableKind<IPAddress> = {
  columns: [NAME, column('ParentRef', 'Object that uses the address.'), AGE],
  cells: ({ metadata, spec }, now) => {
    const { group, resource, namespace, name } = spec.parentRef ?? {}
    const parent = [resource && group ? `${resource}.${group}` : resource, namespace, name]
    return [metadata.name, parent.filter(Boolean).join('/') || NONE, ageOf(metadata, now)]
  },
}
