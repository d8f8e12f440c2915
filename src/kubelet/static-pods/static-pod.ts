// A Pod that the node itself was told to run, as the kubelet sees it, and its mirror, as the API shows it. Pure.
// Upstream: pkg/kubelet/config/common.go applyDefaults, pkg/kubelet/pod/mirror_client.go.
import { createHash } from 'node:crypto'
import type { Draft } from '../../api/kube-object.ts'
import type { Pod } from '../../api/types/core-v1.ts'

export const CONFIG = {
  hash: 'kubernetes.io/config.hash',
  mirror: 'kubernetes.io/config.mirror',
  seen: 'kubernetes.io/config.seen',
  source: 'kubernetes.io/config.source',
} as const

/** Whether the pod comes from a file on this node. */
export const isStatic = ({ metadata }: Pick<Pod, 'metadata'>): boolean =>
  metadata.annotations?.[CONFIG.source] === 'file'

/** Whether the object stands for a static pod in the API. */
export const isMirror = ({ metadata }: Pick<Pod, 'metadata'>): boolean =>
  metadata.annotations?.[CONFIG.mirror] !== undefined

/** 'namespace/name': there is one static pod of a name at a time. */
export const fullName = ({ metadata }: Pick<Pod, 'metadata'>): string =>
  `${metadata.namespace}/${metadata.name}`

/** The pod of a manifest: its name tells the node, its uid stays the same as long as the manifest does. */
export function staticPod(manifest: Pod, file: string, nodeName: string, seenAt: string): Pod {
  const { metadata, spec } = manifest
  const uid = metadata.uid || uidOf(manifest, file, nodeName)
  return {
    ...manifest,
    metadata: {
      ...metadata,
      name: `${metadata.name}-${nodeName.toLowerCase()}`,
      namespace: metadata.namespace || 'default',
      uid,
      annotations: {
        ...metadata.annotations,
        [CONFIG.hash]: uid,
        [CONFIG.seen]: seenAt,
        [CONFIG.source]: 'file',
      },
    },
    spec: {
      ...spec,
      nodeName,
      // No taint of the node keeps it from running.
      tolerations: [...(spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
    status: { phase: 'Pending' },
  }
}

function uidOf(manifest: Pod, file: string, nodeName: string): string {
  const hash = createHash('md5').update(`host:${nodeName}`).update(`file:${file}`)
  return hash.update(JSON.stringify(manifest)).digest('hex')
}

/** What stands in the API for the pod. `nodeUid` undefined: the node has no object of its own. */
export function mirrorOf(pod: Pod, nodeName: string, nodeUid: string | undefined): Draft<Pod> {
  const { name, namespace, labels, annotations = {} } = pod.metadata
  const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeUid ?? '', controller: true }
  return {
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(labels && { labels }),
      annotations: { ...annotations, [CONFIG.mirror]: annotations[CONFIG.hash] ?? '' },
      ...(nodeUid && { ownerReferences: [owner] }),
    },
    spec: pod.spec,
  } as Draft<Pod>
}

/** Whether the mirror is of the pod as its manifest is now. */
export const isMirrorOf = (mirror: Pod, pod: Pod): boolean =>
  mirror.metadata.annotations?.[CONFIG.mirror] === pod.metadata.annotations?.[CONFIG.hash]

/** The kind of API object the manifest needs, which a static pod must not. Upstream: HasAPIObjectReference. */
export function neededResource({ spec }: Pod): string | undefined {
  if (spec.serviceAccountName) return 'serviceaccounts'
  if (spec.imagePullSecrets?.length) return 'secrets'
  if (spec.resourceClaims?.length) return 'resourceclaims'
  for (const { envFrom = [], env = [] } of [...(spec.initContainers ?? []), ...spec.containers]) {
    const sources = env.map(({ valueFrom }) => valueFrom)
    if (envFrom.some(({ secretRef }) => secretRef) || sources.some(from => from?.secretKeyRef))
      return 'secrets'
    if (envFrom.some(({ configMapRef }) => configMapRef) || sources.some(from => from?.configMapKeyRef))
      return 'configmaps'
  }
  for (const { secret, configMap, persistentVolumeClaim, ephemeral, csi, projected } of spec.volumes ?? []) {
    const parts = projected?.sources ?? []
    if (secret || csi?.nodePublishSecretRef || parts.some(part => part.secret)) return 'secrets'
    if (configMap || parts.some(part => part.configMap)) return 'configmaps'
    if (persistentVolumeClaim || ephemeral) return 'persistentvolumeclaims'
    if (parts.some(part => part.serviceAccountToken)) return 'serviceaccounts'
    if (parts.some(part => part.clusterTrustBundle)) return 'clustertrustbundles'
  }
  return undefined
}
