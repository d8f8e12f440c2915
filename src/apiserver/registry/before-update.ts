// Steps that every update takes, whatever the resource. Upstream: rest/update.go BeforeUpdate and
// the repairing half of apimachinery's ValidateObjectMetaAccessorUpdate.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { conflict, invalid } from '../../api/status-error.ts'
import type { UpdateStrategy } from './strategy.ts'

/** Throws Conflict when the client means another state than the stored one, Invalid when it must say which it means. */
export function checkVersion(
  { metadata }: KubeObject,
  old: KubeObject,
  strategy: UpdateStrategy,
  info: ResourceInfo,
): void {
  const asked = metadata.resourceVersion
  const { name } = old.metadata
  if (metadata.uid && metadata.uid !== old.metadata.uid) {
    throw conflict(
      info,
      name,
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${old.metadata.uid}`,
    )
  }
  if (!asked || asked === '0') {
    if (strategy.allowUnconditionalUpdate) return
    throw invalid(info, name, [
      {
        reason: 'FieldValueInvalid',
        field: 'metadata.resourceVersion',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ])
  }
  if (asked !== old.metadata.resourceVersion) throw conflict(info, name)
}

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
