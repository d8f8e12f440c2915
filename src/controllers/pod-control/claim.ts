// Whose object is this: kept, adopted, released or somebody else's. Upstream: pkg/controller/controller_ref_manager.go.
import type { LabelMatcher } from '../../api/labels.ts'
import type { ObjectMeta, OwnerReference } from '../../api/types/meta-v1.ts'

export interface Owner {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

type Owned = { metadata: ObjectMeta }

export interface Claims<T> {
  /** Its own, and it still selects them. */
  owned: T[]
  /** Nobody's, and it selects them. */
  adopt: T[]
  /** Its own, but it selects them no longer. */
  release: T[]
}

export function controllerOf({ metadata }: Owned): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller)
}

/** Upstream: metav1.NewControllerRef. */
export function controllerReference({ apiVersion, kind, metadata }: Owner): OwnerReference {
  const { name, uid } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** An owner that is being deleted takes and releases nothing. */
export function decideClaims<T extends Owned>(
  owner: Owner,
  objects: Iterable<T>,
  selects: LabelMatcher,
): Claims<T> {
  const claims: Claims<T> = { owned: [], adopt: [], release: [] }
  const ownerIsGoing = owner.metadata.deletionTimestamp !== undefined
  for (const object of objects) {
    const { metadata } = object
    const controller = controllerOf(object)
    if (controller && controller.uid !== owner.metadata.uid) continue
    const isSelected = selects(metadata.labels)
    if (controller && isSelected) claims.owned.push(object)
    else if (ownerIsGoing) continue
    else if (controller) claims.release.push(object)
    else if (isSelected && !metadata.deletionTimestamp) claims.adopt.push(object)
  }
  return claims
}
