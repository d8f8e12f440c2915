// The scale of a custom resource, at the paths that its definition names.
// Upstream: apiextensions-apiserver pkg/registry/customresource/etcd.go ScaleREST.
import { findAll } from '../../../api/custom/json-path.ts'
import type { KubeObject } from '../../../api/kube-object.ts'
import type { Endpoint } from '../endpoint.ts'
import type { ScaleAccess } from '../subresources/scale.ts'

/** undefined: not a custom resource, or one without scale. */
export function customScaleAccess({ scalePaths }: Endpoint): ScaleAccess | undefined {
  if (!scalePaths) return undefined
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scalePaths
  return {
    read(object) {
      const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
      const wanted = numberAt(object, specReplicasPath)
      const selector = labelSelectorPath ? findAll(object, labelSelectorPath)[0] : undefined
      return {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
        spec: { ...(wanted && { replicas: wanted }) },
        status: {
          replicas: numberAt(object, statusReplicasPath),
          ...(typeof selector === 'string' && selector !== '' && { selector }),
        },
      }
    },
    withReplicas: (object, replicas) =>
      withValue(object, specReplicasPath.split('.').filter(Boolean), replicas) as KubeObject,
  }
}

function numberAt(object: KubeObject, path: string): number {
  const [value] = findAll(object, path)
  return typeof value === 'number' ? value : 0
}

function withValue(value: unknown, [field, ...rest]: readonly string[], wanted: number): unknown {
  if (field === undefined) return wanted
  const map = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return { ...map, [field]: withValue(map[field], rest, wanted) }
}
