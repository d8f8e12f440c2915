// What the API shows of the cluster's DNS: who the server is and what it may read, its Service, where it listens.
import type { Draft } from '../api/kube-object.ts'
import {
  clusterRoleBindings,
  clusterRoles,
  endpointSlices,
  endpoints,
  serviceAccounts,
  services,
} from '../api/resources.ts'
import { isAlreadyExists } from '../api/status-error.ts'
import type { ServiceAccount } from '../api/types/core-v1.ts'
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../api/types/rbac-v1.ts'
import type { Client } from '../client/client.ts'

export const DNS_PORT = 53
const NAME = 'kube-dns'
const NAMESPACE = 'kube-system'
const ACCOUNT = 'coredns'
const ROLE = 'system:coredns'
const LABELS = {
  'k8s-app': NAME,
  'kubernetes.io/cluster-service': 'true',
  'kubernetes.io/name': 'CoreDNS',
}

/** As whom the server reads. */
export const DNS_ACCOUNT = {
  name: `system:serviceaccount:${NAMESPACE}:${ACCOUNT}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`],
}

const verbs = ['list', 'watch']
const RULES: PolicyRule[] = [
  { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
]

/** The account and its role, as kubeadm makes them. */
export async function createDnsAccess(client: Client): Promise<void> {
  const account = { metadata: { name: ACCOUNT, namespace: NAMESPACE } } as Draft<ServiceAccount>
  const role = { metadata: { name: ROLE }, rules: RULES } as Draft<ClusterRole>
  const binding = {
    metadata: { name: ROLE },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: ROLE },
    subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: NAMESPACE }],
  } as Draft<ClusterRoleBinding>
  await Promise.all([
    createUnlessThere(() => client.create(serviceAccounts, account)),
    createUnlessThere(() => client.create(clusterRoles, role)),
    createUnlessThere(() => client.create(clusterRoleBindings, binding)),
  ])
}

/** The Service as kubeadm makes it. */
export async function createDnsService(client: Client, clusterIP: string): Promise<void> {
  await createUnlessThere(() =>
    client.create(services, {
      metadata: { name: NAME, namespace: NAMESPACE, labels: LABELS },
      spec: {
        clusterIP,
        ports: [
          { name: 'dns', port: DNS_PORT, protocol: 'UDP', targetPort: DNS_PORT },
          { name: 'dns-tcp', port: DNS_PORT, protocol: 'TCP', targetPort: DNS_PORT },
        ],
      },
      status: { loadBalancer: {} },
    }),
  )
}

async function createUnlessThere(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create()
    return true
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    return false
  }
}

/** Endpoints and slice belong together, as those of the Service `kubernetes` do: nothing mirrors or selects them. */
export async function publishDnsEndpoints(client: Client, [address, port]: [string, number]): Promise<void> {
  const ports = [
    { name: 'dns', port, protocol: 'UDP' as const },
    { name: 'dns-tcp', port, protocol: 'TCP' as const },
  ]
  const list = {
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      labels: { ...LABELS, 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: [{ ip: address }], ports }],
  }
  const slice = {
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      labels: { ...LABELS, 'kubernetes.io/service-name': NAME },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
    ports,
  }
  const [listIsNew, sliceIsNew] = await Promise.all([
    createUnlessThere(() => client.create(endpoints, structuredClone(list))),
    createUnlessThere(() => client.create(endpointSlices, structuredClone(slice))),
  ])
  if (!listIsNew) await client.update(endpoints, list)
  if (!sliceIsNew) await client.update(endpointSlices, slice)
}
