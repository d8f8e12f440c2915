import type { KubeObject } from '../../../api/kube-object.ts'

/** For subresources that change a part of the spec and nothing else. Upstream: metav1.ResetObjectMetaForStatus. */
export function keepMetadataOwnedBySpec({ metadata }: KubeObject, { metadata: old }: KubeObject): void {
  for (const field of [
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'selfLink',
    'labels',
    'annotations',
    'finalizers',
    'ownerReferences',
  ] as const) {
    copyField(metadata, old, field)
  }
}

function copyField<T, K extends keyof T>(target: T, source: T, field: K): void {
  if (source[field] === undefined) delete target[field]
  else target[field] = source[field]
}
