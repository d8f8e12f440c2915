// What exists in every cluster from its first second. Upstream: pkg/controlplane/controller/{systemnamespaces,
// kubernetesservice} and the post-start hook scheduling/bootstrap-system-priority-classes.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiHandler, ApiRequest, UserInfo } from '../../api/request.ts'
import { isAlreadyExists } from '../../api/status-error.ts'

const SERVER: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

export interface SystemFacts {
  kubernetesIp: string
  apiServerPort: number
}

/** Creates what is missing; what is there is left as it is. */
export async function ensureSystemObjects(
  handle: ApiHandler,
  { kubernetesIp, apiServerPort }: SystemFacts,
): Promise<void> {
  await Promise.all(NAMESPACES.map(name => create(handle, '', 'v1', 'namespaces', named(name))))
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
    create(handle, '', 'v1', 'services', kubernetesService(kubernetesIp, apiServerPort)),
  ])
}

function kubernetesService(clusterIP: string, targetPort: number): object {
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  return {
    metadata: { name: 'kubernetes', namespace: 'default', labels },
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
  const { namespace } = (body as KubeObject).metadata
  const request: ApiRequest = {
    user: SERVER,
    verb: 'create',
    group,
    version,
    resource,
    body,
    ...(namespace && { namespace }),
  }
  try {
    await handle(request)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}
