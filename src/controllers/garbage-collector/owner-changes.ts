// How two lists of owner references differ. Pure. Upstream: referencesDiffs, addUnblockedOwnersToDeleteQueue.
import type { OwnerReference } from '../../api/types/meta-v1.ts'

export interface OwnerChanges {
  added: OwnerReference[]
  removed: OwnerReference[]
  /** Owners whose foreground deletion this object no longer holds up. */
  unblocked: OwnerReference[]
}

export function ownerChanges(
  before: readonly OwnerReference[],
  after: readonly OwnerReference[],
): OwnerChanges {
  const changes: OwnerChanges = { added: [], removed: [], unblocked: [] }
  if (before === after) return changes
  const oldByUid = new Map(before.map(owner => [owner.uid, owner]))
  for (const owner of after) {
    const old = oldByUid.get(owner.uid)
    if (!old) changes.added.push(owner)
    else if (old.blockOwnerDeletion && !owner.blockOwnerDeletion) changes.unblocked.push(owner)
    oldByUid.delete(owner.uid)
  }
  for (const owner of oldByUid.values()) {
    changes.removed.push(owner)
    if (owner.blockOwnerDeletion) changes.unblocked.push(owner)
  }
  return changes
}
