// Indices by which a controller finds its own objects and those that nobody controls.
import type { ObjectMeta } from '../../api/types/meta-v1.ts'
import type { Indexer, Lister } from '../../client/lister.ts'
import { controllerOf } from './claim.ts'

const CONTROLLER = 'controller'
const ORPHANS = 'orphans'

type Owned = { metadata: ObjectMeta }

/** For an informer's `indexers`. */
export const ownerIndexers: Record<string, Indexer<Owned>> = {
  [CONTROLLER]: object => {
    const controller = controllerOf(object)
    return controller ? [controller.uid] : []
  },
  [ORPHANS]: object => (controllerOf(object) ? [] : [object.metadata.namespace ?? '']),
}

export function controlledBy<T extends Owned>(lister: Lister<T>, uid: string): T[] {
  return lister.byIndex(CONTROLLER, uid)
}

/** What the owner controls, and what in its namespace nobody does. */
export function claimable<T extends Owned>(lister: Lister<T>, { metadata }: Owned): T[] {
  return [...controlledBy(lister, metadata.uid), ...lister.byIndex(ORPHANS, metadata.namespace ?? '')]
}
