import type {
  ComponentStatus,
  ConfigMap,
  Endpoints,
  Namespace,
  ReplicationController,
  ResourceQuota,
  Secret,
  Service,
  ServiceAccount,
} from '../../api/types/core-v1.ts'
import { ageOf, formatLabels, listWithMore, NONE } from './cells.ts'
import { REPLICA_COLUMNS, replicaCells } from './replicas.ts'
import { AGE, column, NAME, type TableKind, wide } from './table.ts'

export const namespaceTable: TableKind<Namespace> = {
  columns: [NAME, column('Status', 'Active, or Terminating while it is being emptied.'), AGE],
  cells: ({ metadata, status }, now) => [metadata.name, status.phase ?? '', ageOf(metadata, now)],
}

export const configMapTable: TableKind<ConfigMap> = {
  columns: [NAME, column('Data', 'Number of entries.'), AGE],
  cells: ({ metadata, data = {}, binaryData = {} }, now) => [
    metadata.name,
    String(Object.keys(data).length + Object.keys(binaryData).length),
    ageOf(metadata, now),
  ],
}

export const secretTable: TableKind<Secret> = {
  columns: [NAME, column('Type', 'What the secret is for.'), column('Data', 'Number of entries.'), AGE],
  cells: ({ metadata, type, data = {} }, now) => [
    metadata.name,
    type ?? '',
    String(Object.keys(data).length),
    ageOf(metadata, now),
  ],
}

export const serviceAccountTable: TableKind<ServiceAccount> = {
  columns: [NAME, column('Secrets', 'Number of secrets that pods of this account may use.'), AGE],
  cells: ({ metadata, secrets = [] }, now) => [metadata.name, String(secrets.length), ageOf(metadata, now)],
}

export const componentStatusTable: TableKind<ComponentStatus> = {
  columns: [
    NAME,
    column('Status', 'Healthy, Unhealthy or Unknown.'),
    column('Message', 'What the component says about itself.'),
    column('Error', 'What is wrong with it.'),
  ],
  cells: ({ metadata, conditions = [] }) => {
    const healthy = conditions.find(({ type }) => type === 'Healthy')
    const status = healthy ? (healthy.status === 'True' ? 'Healthy' : 'Unhealthy') : 'Unknown'
    return [metadata.name, status, healthy?.message ?? '', healthy?.error ?? '']
  },
}

export const serviceTable: TableKind<Service> = {
  columns: [
    NAME,
    column('Type', 'How the service is reached.'),
    column('Cluster-IP', 'Address inside the cluster.'),
    column('External-IP', 'Addresses outside the cluster.'),
    column('Port(s)', 'Ports, with the node port after a colon.'),
    AGE,
    wide('Selector', 'Labels of the pods behind it.'),
  ],
  cells: (service, now) => [
    service.metadata.name,
    service.spec.type ?? '',
    service.spec.clusterIPs?.[0] || service.spec.clusterIP || NONE,
    externalAddress(service),
    formatServicePorts(service) || NONE,
    ageOf(service.metadata, now),
    formatLabels(service.spec.selector),
  ],
}

function externalAddress({ spec, status }: Service): string {
  const external = spec.externalIPs ?? []
  if (spec.type === 'ExternalName') return spec.externalName ?? ''
  if (spec.type !== 'LoadBalancer') return external.join(',') || NONE
  return [...loadBalancerAddresses(status.loadBalancer?.ingress), ...external].join(',') || '<pending>'
}

export function loadBalancerAddresses(ingress: readonly { ip?: string; hostname?: string }[] = []): string[] {
  return [...new Set(ingress.map(({ ip, hostname }) => ip || hostname || '').filter(Boolean))].sort()
}

function formatServicePorts({ spec }: Service): string {
  const ports = spec.ports ?? []
  return ports
    .map(({ port, nodePort, protocol }) =>
      nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
    )
    .join(',')
}

export const endpointsTable: TableKind<Endpoints> = {
  columns: [NAME, column('Endpoints', 'Addresses and ports that are ready.'), AGE],
  cells: (endpoints, now) => [
    endpoints.metadata.name,
    formatEndpoints(endpoints),
    ageOf(endpoints.metadata, now),
  ],
}

function formatEndpoints({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return NONE
  const all = subsets.flatMap(({ addresses = [], ports }) =>
    ports === undefined
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => hostPort(ip, port))),
  )
  return listWithMore(all, 3)
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export const replicationControllerTable: TableKind<ReplicationController> = {
  columns: REPLICA_COLUMNS,
  cells: (controller, now) => [...replicaCells(controller, now), formatLabels(controller.spec.selector)],
}

export const resourceQuotaTable: TableKind<ResourceQuota> = {
  columns: [
    NAME,
    column('Request', 'Used and allowed requests and counts.'),
    column('Limit', 'Used and allowed limits.'),
    AGE,
  ],
  cells: ({ metadata, status }, now) => {
    const hard = Object.entries(status.hard ?? {}).sort(([left], [right]) => (left < right ? -1 : 1))
    const format = (entries: [string, string][]) =>
      entries.map(([name, limit]) => `${name}: ${status.used?.[name] ?? '0'}/${limit}`).join(', ')
    const isLimit = ([name]: [string, string]) => name.startsWith('limits')
    return [
      metadata.name,
      format(hard.filter(entry => !isLimit(entry))),
      format(hard.filter(isLimit)),
      ageOf(metadata, now),
    ]
  },
}
