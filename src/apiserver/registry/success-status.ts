import type { KubeObject } from '../../api/kube-object.ts'
import type { GroupResource } from '../../api/status-error.ts'

/** The Status that answers a deletion which is done. Upstream: store.go finalizeDelete. */
export function successStatus({ group, resource }: GroupResource, { metadata }: KubeObject): KubeObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {} as KubeObject['metadata'],
    status: 'Success',
    details: { name: metadata.name, ...(group && { group }), kind: resource, uid: metadata.uid },
  }
}

/** A bare Status of success, with a code where upstream's handler writes one. */
export function plainSuccess(code?: number): KubeObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {} as KubeObject['metadata'],
    status: 'Success',
    ...(code !== undefined && { code }),
  }
}
