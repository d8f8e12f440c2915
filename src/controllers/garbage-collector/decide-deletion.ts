// What becomes of an object, given how its owners are. Pure. Upstream: attemptToDeleteItem.
import type { DeleteOptions } from '../../api/request.ts'
import type { ObjectMeta, OwnerReference } from '../../api/types/meta-v1.ts'
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from './graph-node.ts'

/** solid: it is there and stays. dangling: it is not there. waiting: it waits for its dependents to be deleted. */
export type OwnerState = 'solid' | 'dangling' | 'waiting'

export interface JudgedOwner {
  owner: OwnerReference
  state: OwnerState
}

export type DeletionStep =
  | { do: 'nothing' }
  | { do: 'keepOwners'; owners: OwnerReference[] }
  | {
      do: 'delete'
      propagationPolicy: NonNullable<DeleteOptions['propagationPolicy']>
      /** First no owner's deletion waits for it any more: objects that own each other would wait for ever. */
      unblockOwners: boolean
    }

/** `dependents`: of the object itself; whether each is being deleted in the foreground. */
export function decideDeletion(
  { finalizers = [] }: Pick<ObjectMeta, 'finalizers'>,
  judged: readonly JudgedOwner[],
  dependents: readonly { deletingDependents: boolean }[],
): DeletionStep {
  if (judged.length === 0) return { do: 'nothing' }
  const solid = judged.filter(({ state }) => state === 'solid')
  if (solid.length > 0) {
    if (solid.length === judged.length) return { do: 'nothing' }
    return { do: 'keepOwners', owners: solid.map(({ owner }) => owner) }
  }
  if (judged.some(({ state }) => state === 'waiting') && dependents.length > 0) {
    const unblockOwners = dependents.some(({ deletingDependents }) => deletingDependents)
    return { do: 'delete', propagationPolicy: 'Foreground', unblockOwners }
  }
  const propagationPolicy = finalizers.includes(ORPHAN_FINALIZER)
    ? 'Orphan'
    : finalizers.includes(FOREGROUND_FINALIZER)
      ? 'Foreground'
      : 'Background'
  return { do: 'delete', propagationPolicy, unblockOwners: false }
}
