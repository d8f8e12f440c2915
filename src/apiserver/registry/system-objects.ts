// What exists in every cluster from its first second. Upstream: pkg/controlplane/controller/{systemnamespaces,
// kubernetesservice} and the post-start hook scheduling/bootstrap-system-priority-classes.
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiHandler, ApiRequest, UserInfo } from '../../api/request.ts'
import { isAlreadyExists, isNotFound } from '../../api/status-error.ts'
import type { Clock } from '../../base/clock.ts'

const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** Where the API server listens, as pods reach it. */
export interface ServerPlace {
  address: string
  port: number
}

export interface SystemFacts {
  kubernetesIp: string
  /** Where cluster addresses come from. */
  serviceCidr: string
  server?: ServerPlace
}

/** Upstream's default secure port. */
const DEFAULT_PORT = 6443

/** Creates what is missing; what is there is left as it is, but for where the API server is. */
export async function ensureSystemObjects(
  handle: ApiHandler,
  { kubernetesIp, serviceCidr, server }: SystemFacts,
): Promise<void> {
  await ensureNamespaces(handle)
  await Promise.all([
    create(handle, 'scheduling.k8s.io', 'v1', 'priorityclasses', {
      ...named('system-node-critical'),
      value: 2_000_001_000,
      description: 'Used for system critical pods that must not be moved from their current node.',
    }),
    create(handle, 'scheduling.k8s.io', 'v1', 'priorityclasses', {
      ...named('system-cluster-critical'),
      value: 2_000_000_000,
      description:
        'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    }),
    create(handle, 'networking.k8s.io', 'v1', 'servicecidrs', {
      ...named('kubernetes'),
      spec: { cidrs: [serviceCidr] },
    }),
    ensureOwnService(handle, { kubernetesIp, serviceCidr, ...(server && { server }) }),
  ])
}

/** Upstream's interval for the Service; it gives a namespace a minute. */
const KEEP_MS = 10_000

/** What everything relies on comes back when it is taken away, as `kubectl delete service --all` does. */
export async function keepSystemObjects(
  handle: ApiHandler,
  facts: () => SystemFacts | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(KEEP_MS, signal).catch(() => {})
    const known = facts()
    if (signal.aborted || !known) continue
    // What somebody changes at the same moment is looked at again next time.
    await Promise.allSettled([ensureNamespaces(handle), ensureOwnService(handle, known)])
  }
}

async function ensureNamespaces(handle: ApiHandler): Promise<void> {
  await Promise.all(
    NAMESPACES.map(async name => {
      const where = { group: '', version: 'v1', resource: 'namespaces' }
      await ask(handle, 'get', { ...where, name }).catch(error => {
        if (!isNotFound(error)) throw error
        return create(handle, '', 'v1', 'namespaces', named(name))
      })
    }),
  )
}

/** The Service by which pods find the API server, and where it leads to. */
async function ensureOwnService(handle: ApiHandler, { kubernetesIp, server }: SystemFacts): Promise<void> {
  await keep(handle, '', 'v1', 'services', kubernetesService(kubernetesIp, server?.port ?? DEFAULT_PORT))
  if (!server) return
  await Promise.all([
    keep(handle, '', 'v1', 'endpoints', kubernetesEndpoints(server)),
    keep(handle, 'discovery.k8s.io', 'v1', 'endpointslices', kubernetesSlice(server)),
  ])
}

const KUBERNETES = { name: 'kubernetes', namespace: 'default' }

/** Upstream: pkg/controlplane/reconcilers/endpointsadapter.go. The mirroring controller leaves it alone. */
const kubernetesEndpoints = ({ address, port }: ServerPlace) => ({
  metadata: { ...KUBERNETES, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
  subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
})

const kubernetesSlice = ({ address, port }: ServerPlace) => ({
  metadata: { ...KUBERNETES, labels: { 'kubernetes.io/service-name': KUBERNETES.name } },
  addressType: 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
  ports: [{ name: 'https', port, protocol: 'TCP' }],
})

function kubernetesService(clusterIP: string, targetPort: number): KubeFields {
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  return {
    metadata: { ...KUBERNETES, labels },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
    },
  }
}

const named = (name: string) => ({ metadata: { name } })

async function create(
  handle: ApiHandler,
  group: string,
  version: string,
  resource: string,
  body: object,
): Promise<void> {
  await ask(handle, 'create', { group, version, resource, body }).catch(error => {
    if (!isAlreadyExists(error)) throw error
  })
}

/** Made when it is missing; an object that says something else in one of the wanted fields is changed. */
async function keep(
  handle: ApiHandler,
  group: string,
  version: string,
  resource: string,
  body: KubeFields,
): Promise<void> {
  const where = { group, version, resource }
  const { name, namespace } = body.metadata
  const present = await ask(handle, 'get', { ...where, name, namespace }).catch(error => {
    if (!isNotFound(error)) throw error
  })
  // The server freezes what it is given.
  if (!present) return create(handle, group, version, resource, structuredClone(body))
  const wanted = merged(present, body)
  if (!isDeepStrictEqual(present, wanted)) await ask(handle, 'update', { ...where, name, body: wanted })
}

interface KubeFields {
  metadata: { name: string; namespace: string; labels?: Record<string, string> }
  [field: string]: unknown
}

/** Lists and values replace; of objects only what is named. */
function merged<T>(present: T, wanted: unknown): T {
  if (!isFields(wanted) || !isFields(present)) return wanted as T
  const result: Record<string, unknown> = { ...present }
  for (const [key, value] of Object.entries(wanted)) result[key] = merged(result[key], value)
  return result as T
}

const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

async function ask(
  handle: ApiHandler,
  verb: 'create' | 'get' | 'update',
  rest: Pick<ApiRequest, 'group' | 'version' | 'resource' | 'name' | 'namespace' | 'body'>,
): Promise<KubeObject> {
  const namespace = rest.namespace ?? (rest.body as KubeObject | undefined)?.metadata.namespace
  const response = await handle({
    user: SERVER,
    userAgent: 'kube-apiserver',
    verb,
    ...rest,
    ...(namespace && { namespace }),
  })
  if (response.kind !== 'object')
    throw new Error(`${verb} ${rest.resource} was answered with ${response.kind}`)
  return response.object
}
