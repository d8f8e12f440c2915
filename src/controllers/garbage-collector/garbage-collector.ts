// Deletes what nobody owns any more, and lets owners go whose dependents are gone or orphaned.
// Upstream: pkg/controller/garbagecollector/garbagecollector.go.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { OwnerReference } from '../../api/types/meta-v1.ts'
import { type Requeue, runReconciler } from '../../client/controller-loop.ts'
import type { EventRecorder } from '../../client/events/event-recorder.ts'
import { type ResourceCatalog, resourceOfKind } from '../../client/resource-catalog.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { decideDeletion, type JudgedOwner } from './decide-deletion.ts'
import {
  blockingDependents,
  describeIdentity,
  FOREGROUND_FINALIZER,
  type GraphNode,
  identityOfOwner,
  type ObjectIdentity,
  ORPHAN_FINALIZER,
} from './graph-node.ts'
import { type GraphEffect, ObjectGraph } from './object-graph.ts'
import { ResourceMonitors } from './resource-monitors.ts'

export interface GarbageCollectorContext extends ControllerContext {
  recorder: Pick<EventRecorder, 'event'>
  catalog: ResourceCatalog
}

/** Upstream: concurrent-gc-syncs. */
const CONCURRENCY = 20

/** Nothing serves the kind; it is looked at again when the list of resources changes. */
class UnknownKind extends Error {}

export async function runGarbageCollector(
  context: GarbageCollectorContext,
  signal: AbortSignal,
): Promise<void> {
  await new GarbageCollector(context).run(signal)
}

class GarbageCollector {
  readonly #context: GarbageCollectorContext
  readonly #graph = new ObjectGraph()
  readonly #deletions: WorkQueue<string>
  readonly #orphanings: WorkQueue<string>
  readonly #monitors: ResourceMonitors
  readonly #ofUnknownKind = new Set<string>()

  constructor(context: GarbageCollectorContext) {
    const { clock, catalog } = context
    this.#context = context
    this.#deletions = new WorkQueue({ clock })
    this.#orphanings = new WorkQueue({ clock })
    this.#monitors = new ResourceMonitors(context, catalog, {
      add: object => this.#perform(this.#graph.observe(object)),
      update: (old, object) => this.#perform(this.#graph.observe(object, old)),
      delete: object => this.#perform(this.#graph.removed(object)),
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    const { catalog, log } = this.#context
    const unsubscribe = catalog.subscribe(() => this.#retryUnknownKinds())
    const reconcilers = [
      { queue: this.#deletions, reconcile: (uid: string) => this.#attemptToDelete(uid) },
      { queue: this.#orphanings, reconcile: (uid: string) => this.#attemptToOrphan(uid) },
    ]
    await Promise.all([
      this.#monitors.run(signal),
      ...reconcilers.map(one => runReconciler({ ...one, concurrency: CONCURRENCY, signal, log })),
    ])
    unsubscribe()
  }

  #perform(effects: readonly GraphEffect[]): void {
    for (const effect of effects) {
      if (effect.do === 'attemptToOrphan') this.#orphanings.add(effect.uid)
      else if (effect.do === 'reportInvalidNamespace') this.#report(effect.dependent, effect.owner)
      else if (effect.later) this.#deletions.addRateLimited(effect.uid)
      else this.#deletions.add(effect.uid)
    }
  }

  /** Upstream: reportInvalidNamespaceOwnerRef. */
  #report(dependent: ObjectIdentity, owner: OwnerReference): void {
    const { namespace = '' } = dependent
    const text = describeIdentity(identityOfOwner(owner, namespace))
    const message = `ownerRef ${text} does not exist in namespace ${JSON.stringify(namespace)}`
    this.#context.recorder.event(dependent, 'Warning', 'OwnerRefInvalidNamespace', message)
  }

  #retryUnknownKinds(): void {
    for (const uid of this.#ofUnknownKind) this.#deletions.add(uid)
    this.#ofUnknownKind.clear()
  }

  async #attemptToDelete(uid: string): Promise<Requeue | undefined> {
    await this.#monitors.synced()
    const node = this.#graph.find(uid)
    if (!node || this.#isUnreachable(node)) return undefined
    try {
      await this.#judge(node)
    } catch (error) {
      if (!(error instanceof UnknownKind)) throw error
      this.#ofUnknownKind.add(uid)
      return undefined
    }
    // Somebody speaks of it and the server knows it, but no informer has shown it yet.
    if (node.virtual && this.#graph.find(uid) === node) this.#deletions.addRateLimited(uid)
    return undefined
  }

  /** A cluster-scoped object has named it, and its kind has namespaces: there is nowhere to look. */
  #isUnreachable({ identity }: GraphNode): boolean {
    const resource = resourceOfKind(this.#context.catalog.list(), identity)
    return resource?.namespaced === true && !identity.namespace
  }

  async #judge(node: GraphNode): Promise<void> {
    if (node.beingDeleted && !node.deletingDependents) return
    const { identity } = node
    const latest = await this.#get(identity)
    if (latest?.metadata.uid !== identity.uid) {
      this.#perform(this.#graph.absent(identity))
      return
    }
    if (node.deletingDependents) return this.#finishForeground(node, latest)
    const judged: JudgedOwner[] = []
    for (const owner of latest.metadata.ownerReferences ?? []) {
      const state = await this.#stateOf(owner, identity)
      if (!state) return
      judged.push({ owner, state })
    }
    const step = decideDeletion(latest.metadata, judged, [...node.dependents])
    if (step.do === 'keepOwners') await this.#setOwners(latest, step.owners)
    if (step.do !== 'delete') return
    const object = step.unblockOwners ? await this.#unblockOwners(latest) : latest
    await this.#delete(object, step.propagationPolicy)
  }

  /** undefined: a cluster-scoped object names a namespaced owner; nothing can be said about it, ever. */
  async #stateOf(
    owner: OwnerReference,
    { namespace }: ObjectIdentity,
  ): Promise<JudgedOwner['state'] | undefined> {
    const { absentOwners } = this.#graph
    if (absentOwners.has(identityOfOwner(owner, undefined))) return 'dangling'
    if (absentOwners.has(identityOfOwner(owner, namespace))) return 'dangling'
    const { namespaced } = this.#resourceOf(owner)
    if (namespaced && !namespace) return undefined
    const identity = identityOfOwner(owner, namespaced ? namespace : undefined)
    const object = await this.#get(identity)
    if (object?.metadata.uid !== owner.uid) {
      absentOwners.add(identity)
      return 'dangling'
    }
    const { deletionTimestamp, finalizers = [] } = object.metadata
    return deletionTimestamp && finalizers.includes(FOREGROUND_FINALIZER) ? 'waiting' : 'solid'
  }

  /** Upstream: processDeletingDependentsItem. */
  async #finishForeground(node: GraphNode, latest: KubeObject): Promise<void> {
    const blocking = blockingDependents(node)
    if (blocking.length === 0) return this.#removeFinalizer(latest, FOREGROUND_FINALIZER)
    for (const dependent of blocking) {
      if (!dependent.deletingDependents) this.#deletions.add(dependent.identity.uid)
    }
  }

  /** Upstream: attemptToOrphanWorker. */
  async #attemptToOrphan(uid: string): Promise<void> {
    await this.#monitors.synced()
    const node = this.#graph.find(uid)
    if (!node) return
    await Promise.all([...node.dependents].map(({ identity }) => this.#orphan(identity, uid)))
    const latest = await this.#get(node.identity)
    if (latest?.metadata.uid === uid) await this.#removeFinalizer(latest, ORPHAN_FINALIZER)
  }

  async #orphan(dependent: ObjectIdentity, ownerUid: string): Promise<void> {
    const latest = await this.#get(dependent)
    if (latest?.metadata.uid !== dependent.uid) return
    const owners = latest.metadata.ownerReferences ?? []
    const others = owners.filter(({ uid }) => uid !== ownerUid)
    if (others.length < owners.length) await this.#setOwners(latest, others)
  }

  async #unblockOwners(object: KubeObject): Promise<KubeObject> {
    const owners = object.metadata.ownerReferences ?? []
    const unblocked = owners.map(owner => ({ ...owner, blockOwnerDeletion: false }))
    return (await this.#setOwners(object, unblocked)) ?? object
  }

  #setOwners(object: KubeObject, owners: readonly OwnerReference[]): Promise<KubeObject | undefined> {
    return this.#patch(object, { ownerReferences: owners.length > 0 ? owners : null })
  }

  async #removeFinalizer(object: KubeObject, finalizer: string): Promise<void> {
    const { finalizers = [] } = object.metadata
    const left = finalizers.filter(one => one !== finalizer)
    if (left.length < finalizers.length)
      await this.#patch(object, { finalizers: left.length > 0 ? left : null })
  }

  /** Of exactly this version: a conflict is thrown, and the object looked at anew. */
  async #patch(object: KubeObject, metadata: object): Promise<KubeObject | undefined> {
    const { name, namespace, uid, resourceVersion } = object.metadata
    const document = { metadata: { uid, resourceVersion, ...metadata } }
    try {
      return await this.#context.client.patch<KubeObject>(
        this.#resourceOf(object),
        { name, ...(namespace && { namespace }) },
        'application/merge-patch+json',
        document,
      )
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #delete(
    object: KubeObject,
    propagationPolicy: 'Orphan' | 'Foreground' | 'Background',
  ): Promise<void> {
    const { name, namespace, uid, resourceVersion } = object.metadata
    const key = { name, ...(namespace && { namespace }) }
    const preconditions = { uid, resourceVersion }
    await this.#context.client
      .delete(this.#resourceOf(object), key, { preconditions, propagationPolicy })
      .catch(ignoreNotFound)
  }

  async #get(identity: ObjectIdentity): Promise<KubeObject | undefined> {
    const resource = this.#resourceOf(identity)
    const { name, namespace } = identity
    const key = { name, ...(resource.namespaced && namespace && { namespace }) }
    try {
      return await this.#context.client.get<KubeObject>(resource, key)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Throws UnknownKind. */
  #resourceOf(kind: { apiVersion: string; kind: string }): ResourceInfo {
    const resource = resourceOfKind(this.#context.catalog.list(), kind)
    if (!resource) throw new UnknownKind(`no resource serves ${kind.apiVersion} ${kind.kind}`)
    return resource
  }
}

function ignoreNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}
