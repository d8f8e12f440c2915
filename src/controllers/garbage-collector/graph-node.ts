// What the garbage collector knows about an object: who it is, who owns it, whom it owns.
import type { OwnerReference } from '../../api/types/meta-v1.ts'

export const ORPHAN_FINALIZER = 'orphan'
export const FOREGROUND_FINALIZER = 'foregroundDeletion'

export interface ObjectIdentity {
  apiVersion: string
  kind: string
  name: string
  uid: string
  /** Absent for cluster-scoped objects. */
  namespace?: string
}

export interface GraphNode {
  identity: ObjectIdentity
  owners: readonly OwnerReference[]
  readonly dependents: Set<GraphNode>
  beingDeleted: boolean
  /** It is deleted in the foreground: its dependents go first. */
  deletingDependents: boolean
  /** Nobody has seen it yet: all that is known of it is a dependent's owner reference. */
  virtual: boolean
}

export function identityOfOwner(owner: OwnerReference, namespace: string | undefined): ObjectIdentity {
  const { apiVersion, kind, name, uid } = owner
  return { apiVersion, kind, name, uid, ...(namespace && { namespace }) }
}

export function sameIdentity(one: ObjectIdentity, other: ObjectIdentity): boolean {
  return sameCoordinates(one, other) && (one.namespace ?? '') === (other.namespace ?? '')
}

/** Upstream: ownerReferenceMatchesCoordinates. */
export function sameCoordinates(
  one: Omit<ObjectIdentity, 'namespace'>,
  other: Omit<ObjectIdentity, 'namespace'>,
): boolean {
  return (
    one.uid === other.uid &&
    one.name === other.name &&
    one.kind === other.kind &&
    one.apiVersion === other.apiVersion
  )
}

/** As upstream's objectReference prints itself, in events and logs. */
export function describeIdentity({ apiVersion, kind, namespace = '', name, uid }: ObjectIdentity): string {
  return `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`
}

/** Dependents that keep an owner's foreground deletion waiting. */
export function blockingDependents(node: GraphNode): GraphNode[] {
  const blocks = (owner: OwnerReference) =>
    owner.uid === node.identity.uid && owner.blockOwnerDeletion === true
  return [...node.dependents].filter(dependent => dependent.owners.some(blocks))
}
