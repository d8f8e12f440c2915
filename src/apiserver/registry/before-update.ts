// Steps that every update takes, whatever the resource. Upstream: rest/update.go BeforeUpdate and
// the repairing half of apimachinery's ValidateObjectMetaAccessorUpdate.
import type { KubeObject } from '../../api/kube-object.ts'

/** Puts back what clients may leave out or must not touch, and stops a deletion from being undone. */
export function carrySystemFields(object: KubeObject, old: KubeObject): void {
  const { metadata } = object
  metadata.name ||= old.metadata.name
  if (old.metadata.namespace) metadata.namespace ??= old.metadata.namespace
  metadata.uid ||= old.metadata.uid
  metadata.creationTimestamp ||= old.metadata.creationTimestamp
  carry(metadata, old.metadata, 'generation')
  carry(metadata, old.metadata, 'generateName', !metadata.generateName)
  // A deletion, once begun, stays: clients that send the object back without its marks do not revive it.
  if (old.metadata.deletionTimestamp) carry(metadata, old.metadata, 'deletionTimestamp')
  if (
    old.metadata.deletionGracePeriodSeconds !== undefined &&
    metadata.deletionGracePeriodSeconds === undefined
  ) {
    metadata.deletionGracePeriodSeconds = old.metadata.deletionGracePeriodSeconds
  }
  metadata.selfLink = undefined
  delete metadata.selfLink
}

function carry<T, K extends keyof T>(target: T, source: T, key: K, when = true): void {
  if (!when) return
  if (source[key] === undefined) delete target[key]
  else target[key] = source[key]
}
