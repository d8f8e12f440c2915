import type { ObjectMeta } from '../../api/types/meta-v1.ts'
import type { Lister } from '../../client/lister.ts'
import { controllerOf } from './claim.ts'

type Owned = { metadata: ObjectMeta }

/**
 * The object of this kind that controls `object`. Undefined when another kind does, or one that had the same name
 * before. Upstream: resolveControllerRef.
 */
export function ownerOf<T extends Owned>(lister: Lister<T>, kind: string, object: Owned): T | undefined {
  const reference = controllerOf(object)
  if (reference?.kind !== kind) return undefined
  const owner = lister.find(reference.name, object.metadata.namespace)
  return owner?.metadata.uid === reference.uid ? owner : undefined
}
