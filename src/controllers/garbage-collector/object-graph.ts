// Who owns whom, kept current by what informers tell. It answers each change with what should be looked at now, and
// does nothing itself. Upstream: graph_builder.go processGraphChanges.
import type { KubeObject } from '../../api/kube-object.ts'
import type { OwnerReference } from '../../api/types/meta-v1.ts'
import { AbsentOwners } from './absent-owners.ts'
import {
  FOREGROUND_FINALIZER,
  type GraphNode,
  identityOfOwner,
  type ObjectIdentity,
  ORPHAN_FINALIZER,
  sameCoordinates,
  sameIdentity,
} from './graph-node.ts'
import { ownerChanges } from './owner-changes.ts'

export type GraphEffect =
  /** See whether the object with this uid is to be deleted. */
  | { do: 'attemptToDelete'; uid: string; later?: boolean }
  /** Take the object with this uid out of its dependents' owners. */
  | { do: 'attemptToOrphan'; uid: string }
  /** The dependent names an owner that lives in another namespace. */
  | { do: 'reportInvalidNamespace'; dependent: ObjectIdentity; owner: OwnerReference }

type Observed = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>

export class ObjectGraph {
  readonly absentOwners = new AbsentOwners()
  readonly #nodes = new Map<string, GraphNode>()
  #effects: GraphEffect[] = []

  find(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  get size(): number {
    return this.#nodes.size
  }

  /** `old`: the version known before, when there was one. */
  observe(object: Observed, old?: Observed): GraphEffect[] {
    const { metadata } = object
    const existing = this.#nodes.get(metadata.uid)
    if (existing?.virtual) this.#meet(existing, identityOf(object))
    if (existing) this.#update(existing, object)
    const node = existing ?? this.#insert(object)
    this.#beginDeletion(node, object, old)
    return this.#take()
  }

  /** An informer has seen the object go. */
  removed(object: Observed): GraphEffect[] {
    const node = this.#nodes.get(object.metadata.uid)
    if (node) this.#remove(node, identityOf(object))
    return this.#take()
  }

  /** The API server has no such object: an owner that was only ever heard of, or one whose end was missed. */
  absent(identity: ObjectIdentity): GraphEffect[] {
    const node = this.#nodes.get(identity.uid)
    if (!node) return []
    if (this.#confirmsAbsence(node, identity)) this.#remove(node, identity)
    return this.#take()
  }

  /** A node that was only heard of is now seen: dependents that named it wrongly are looked at again. */
  #meet(node: GraphNode, identity: ObjectIdentity): void {
    node.virtual = false
    if (sameIdentity(node.identity, identity)) return
    for (const dependent of partition(node.dependents, identity).other) {
      if (identity.namespace && dependent.identity.namespace !== identity.namespace)
        this.#reportInvalidNamespace(dependent, identity.uid)
      this.#attemptToDelete(dependent)
    }
    node.identity = identity
  }

  #insert(object: Observed): GraphNode {
    const { metadata } = object
    const node: GraphNode = {
      identity: identityOf(object),
      owners: metadata.ownerReferences ?? [],
      dependents: new Set(),
      beingDeleted: metadata.deletionTimestamp !== undefined,
      deletingDependents: isDeletedWith(object, FOREGROUND_FINALIZER),
      virtual: false,
    }
    this.#nodes.set(metadata.uid, node)
    this.#addToOwners(node, node.owners)
    return node
  }

  #update(node: GraphNode, { metadata }: Observed): void {
    const owners = metadata.ownerReferences ?? []
    const { added, removed, unblocked } = ownerChanges(node.owners, owners)
    node.owners = owners
    for (const { uid } of unblocked) this.#attemptToDelete(this.#nodes.get(uid))
    this.#addToOwners(node, added)
    for (const { uid } of removed) this.#nodes.get(uid)?.dependents.delete(node)
    if (metadata.deletionTimestamp) node.beingDeleted = true
  }

  #addToOwners(node: GraphNode, owners: readonly OwnerReference[]): void {
    let doubtful = false
    for (const owner of owners) {
      const known = this.#nodes.get(owner.uid)
      const ownerNode = known ?? this.#addVirtual(owner, node.identity.namespace)
      ownerNode.dependents.add(node)
      if (!known) this.#attemptToDelete(ownerNode)
      else if (!doubtful) doubtful = this.#isDoubtful(node, owner, ownerNode)
    }
    if (doubtful) this.#attemptToDelete(node)
  }

  #addVirtual(owner: OwnerReference, namespace: string | undefined): GraphNode {
    const node: GraphNode = {
      identity: identityOfOwner(owner, namespace),
      owners: [],
      dependents: new Set(),
      beingDeleted: false,
      deletingDependents: false,
      virtual: true,
    }
    this.#nodes.set(owner.uid, node)
    return node
  }

  /** The reference does not fit what is known of the owner. */
  #isDoubtful(node: GraphNode, owner: OwnerReference, { identity, virtual }: GraphNode): boolean {
    if (identity.namespace && identity.namespace !== node.identity.namespace) {
      if (!virtual) this.#reportInvalidNamespace(node, owner.uid)
      return true
    }
    return !sameCoordinates(owner, identity)
  }

  /** Upstream: processTransitions. */
  #beginDeletion(node: GraphNode, object: Observed, old: Observed | undefined): void {
    const begins = (finalizer: string) =>
      isDeletedWith(object, finalizer) && !(old && isDeletedWith(old, finalizer))
    if (begins(ORPHAN_FINALIZER)) {
      this.#effects.push({ do: 'attemptToOrphan', uid: node.identity.uid })
      return
    }
    if (!begins(FOREGROUND_FINALIZER)) return
    node.deletingDependents = true
    for (const dependent of node.dependents) this.#attemptToDelete(dependent)
    this.#attemptToDelete(node)
  }

  /**
   * False when the node stays: other dependents know it under another name, or it was seen under another.
   * Dependents that used the absent name are looked at again either way.
   */
  #confirmsAbsence(node: GraphNode, absent: ObjectIdentity): boolean {
    const { same, other } = partition(node.dependents, absent)
    if (node.virtual) {
      if (other.length === 0) return true
      this.#declareAbsent(absent, same)
      if (sameIdentity(node.identity, absent)) this.#renameVirtual(node, other)
      return false
    }
    if (sameIdentity(node.identity, absent)) return true
    this.#declareAbsent(absent, same)
    return false
  }

  #declareAbsent(absent: ObjectIdentity, dependents: readonly GraphNode[]): void {
    if (dependents.length === 0) return
    this.absentOwners.add(absent)
    for (const dependent of dependents) this.#attemptToDelete(dependent)
  }

  /** Upstream: getAlternateOwnerIdentity; each name gets its turn, in a stable order. */
  #renameVirtual(node: GraphNode, dependents: readonly GraphNode[]): void {
    const candidates = dependents.flatMap(({ owners, identity: { namespace } }) =>
      owners
        .filter(({ uid }) => uid === node.identity.uid)
        .map(owner => ({ text: orderOf(owner, namespace), identity: identityOfOwner(owner, namespace) })),
    )
    candidates.sort((one, other) => (one.text < other.text ? -1 : one.text > other.text ? 1 : 0))
    const current = orderOf(node.identity, node.identity.namespace)
    const next = candidates.find(({ text }) => text > current) ?? candidates[0]
    if (!next || sameIdentity(next.identity, node.identity)) return
    node.identity = next.identity
    this.#effects.push({ do: 'attemptToDelete', uid: node.identity.uid, later: true })
  }

  #remove(node: GraphNode, identity: ObjectIdentity): void {
    this.#nodes.delete(node.identity.uid)
    for (const { uid } of node.owners) this.#nodes.get(uid)?.dependents.delete(node)
    if (node.dependents.size > 0) this.absentOwners.add(identity)
    for (const dependent of node.dependents) this.#attemptToDelete(dependent)
    for (const { uid } of node.owners) {
      const owner = this.#nodes.get(uid)
      if (owner?.deletingDependents) this.#attemptToDelete(owner)
    }
    this.#dropUnusedOwners(node)
  }

  /** An owner nobody has seen is forgotten with the last who spoke of it. */
  #dropUnusedOwners({ owners }: GraphNode): void {
    for (const { uid } of owners) {
      const owner = this.#nodes.get(uid)
      if (owner?.virtual && owner.dependents.size === 0) this.#nodes.delete(uid)
    }
  }

  #attemptToDelete(node: GraphNode | undefined): void {
    if (node) this.#effects.push({ do: 'attemptToDelete', uid: node.identity.uid })
  }

  #reportInvalidNamespace({ owners, identity: dependent }: GraphNode, uid: string): void {
    const owner = owners.find(one => one.uid === uid)
    if (owner) this.#effects.push({ do: 'reportInvalidNamespace', dependent, owner })
  }

  #take(): GraphEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}

function identityOf({ apiVersion, kind, metadata: { name, uid, namespace } }: Observed): ObjectIdentity {
  return { apiVersion, kind, name, uid, ...(namespace && { namespace }) }
}

function isDeletedWith({ metadata }: Observed, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(finalizer)
}

/** Dependents that name the owner exactly so, and the others. Upstream: partitionDependents. */
function partition(dependents: Iterable<GraphNode>, owner: ObjectIdentity) {
  const same: GraphNode[] = []
  const other: GraphNode[] = []
  for (const dependent of dependents) {
    const foreign = owner.namespace && dependent.identity.namespace !== owner.namespace
    const named = dependent.owners.filter(({ uid }) => uid === owner.uid)
    const fits = !foreign && named.some(reference => sameCoordinates(reference, owner))
    if (fits) same.push(dependent)
    if (!fits || named.some(reference => !sameCoordinates(reference, owner))) other.push(dependent)
  }
  return { same, other }
}

function orderOf({ apiVersion, kind, name }: Omit<ObjectIdentity, 'namespace'>, namespace = ''): string {
  return [namespace, apiVersion, kind, name].join('\0')
}
