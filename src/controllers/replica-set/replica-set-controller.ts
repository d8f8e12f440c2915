// Keeps as many Pods as a ReplicaSet (or ReplicationController) asks for, and tells its status.
// Upstream: pkg/controller/replicaset/replica_set.go.
import { isDeepStrictEqual } from 'node:util'
import { pods as podResource } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { ReplicaSetStatus } from '../../api/types/apps-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { claimObjects } from '../pod-control/claim-objects.ts'
import { Expectations } from '../pod-control/expectations.ts'
import { claimable, controlledBy, ownerIndexers } from '../pod-control/owned-index.ts'
import { isNamespaceTerminating, messageOf, PodControl, podFromTemplate } from '../pod-control/pod-control.ts'
import { isActive, isTerminating, nextAvailabilityMs } from '../pod-control/pod-state.ts'
import { slowStart } from '../pod-control/slow-start.ts'
import { decideReplicas } from './decide-replicas.ts'
import { replicaSetStatus } from './replica-set-status.ts'
import type { Replicated, ReplicatedKind } from './replicated.ts'

/** Upstream: --concurrent-replicaset-syncs. */
const CONCURRENCY = 5

interface ReplicatedObject {
  apiVersion: string
  kind: string
  metadata: Replicated['metadata']
}

export class ReplicaSetController<T extends ReplicatedObject> {
  readonly #context: ControllerContext
  readonly #kind: ReplicatedKind<T>
  readonly #queue: WorkQueue<string>
  readonly #sets: Informer<T>
  readonly #pods: Informer<Pod>
  readonly #expectations: Expectations
  readonly #podControl: PodControl

  constructor(context: ControllerContext, kind: ReplicatedKind<T>) {
    const { client, clock, log } = context
    this.#context = context
    this.#kind = kind
    this.#queue = new WorkQueue({ clock })
    this.#sets = new Informer({ client, resource: kind.resource, clock, log, indexers: ownerIndexers })
    this.#pods = new Informer({ client, resource: podResource, clock, log, indexers: ownerIndexers })
    this.#expectations = new Expectations(clock)
    const recorder = new EventRecorder({ client, component: kind.component, clock, log })
    this.#podControl = new PodControl({ client, recorder })
    this.#listen()
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#sets, this.#pods]
    const reconcile = (key: string) => this.#reconcile(key)
    const loop = { queue: this.#queue, reconcile, signal, log: this.#context.log, concurrency: CONCURRENCY }
    await runController({ informers, ...loop })
  }

  #listen(): void {
    const enqueue = (object: T) => this.#queue.add(keyOf(object))
    this.#sets.addHandler({
      add: enqueue,
      update: (old, object) => {
        if (old.metadata.uid !== object.metadata.uid) this.#expectations.forget(keyOf(old))
        enqueue(object)
      },
      delete: object => {
        this.#expectations.forget(keyOf(object))
        enqueue(object)
      },
    })
    this.#pods.addHandler({
      add: pod => this.#podAdded(pod),
      update: (old, pod) => this.#podChanged(old, pod),
      delete: pod => this.#podGoes(pod),
    })
  }

  #podAdded(pod: Pod): void {
    const owner = this.#ownerOf(pod)
    if (pod.metadata.deletionTimestamp) this.#podGoes(pod)
    else if (owner) {
      this.#expectations.creationObserved(keyOf(owner))
      this.#queue.add(keyOf(owner))
    } else if (!controllerOf(pod)) this.#enqueueSelecting(pod)
  }

  #podChanged(old: Pod, pod: Pod): void {
    if (old.metadata.uid !== pod.metadata.uid) {
      this.#podGoes(old)
      this.#podAdded(pod)
      return
    }
    const before = this.#ownerOf(old)
    const owner = this.#ownerOf(pod)
    if (before && before !== owner) this.#queue.add(keyOf(before))
    if (pod.metadata.deletionTimestamp) this.#podGoes(pod)
    else if (owner) this.#queue.add(keyOf(owner))
    else if (!controllerOf(pod)) this.#enqueueSelecting(pod)
  }

  #podGoes(pod: Pod): void {
    const owner = this.#ownerOf(pod)
    if (!owner) return
    this.#expectations.deletionObserved(keyOf(owner), keyOf(pod))
    this.#queue.add(keyOf(owner))
  }

  #ownerOf(pod: Pod): T | undefined {
    const reference = controllerOf(pod)
    if (reference?.kind !== this.#kind.resource.kind) return undefined
    const owner = this.#sets.lister.find(reference.name, pod.metadata.namespace)
    return owner?.metadata.uid === reference.uid ? owner : undefined
  }

  #enqueueSelecting({ metadata }: Pod): void {
    for (const set of this.#sets.lister.list(metadata.namespace)) {
      if (this.#kind.view(set).selects(metadata.labels)) this.#queue.add(keyOf(set))
    }
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const { clock } = this.#context
    const object = this.#sets.lister.findByKey(key)
    if (!object) {
      this.#expectations.forget(key)
      return undefined
    }
    const set = this.#kind.view(object)
    const waitMs = this.#expectations.waitMs(key)
    const { active, terminating } = await this.#claim(set)
    const mayAct = waitMs === 0 && !set.metadata.deletionTimestamp
    const failure = mayAct ? await this.#manage(key, set, active) : undefined
    const observed = {
      active,
      terminating,
      ...(failure !== undefined && { failure: messageOf(failure) }),
    }
    await this.#writeStatus(object, set, replicaSetStatus(set, observed, clock.now()))
    if (failure !== undefined) throw failure
    const available = nextAvailabilityMs(active, set.minReadySeconds, clock.now())
    const waits = [waitMs, available ?? 0].filter(wait => wait > 0)
    return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined
  }

  /** Finished Pods are left alone: neither adopted nor released. */
  async #claim(set: Replicated): Promise<{ active: Pod[]; terminating: Pod[] }> {
    const candidates = claimable(this.#pods.lister, set)
    const active = await claimObjects({
      client: this.#context.client,
      owner: set,
      ownerResource: this.#kind.resource,
      resource: podResource,
      objects: candidates.filter(isActive),
      selects: set.selects,
    })
    const isOwn = (pod: Pod) => controllerOf(pod)?.uid === set.metadata.uid
    return { active, terminating: candidates.filter(pod => isTerminating(pod) && isOwn(pod)) }
  }

  /** Answers what went wrong first, so that the status can tell it. */
  async #manage(key: string, set: Replicated, active: Pod[]): Promise<unknown> {
    const related = () => this.#related(set)
    const action = decideReplicas(set.replicas, { pods: active, related }, this.#context.clock.now())
    if (action.do === 'create') return this.#create(key, set, action.count)
    if (action.do === 'delete') return this.#delete(key, set, action.pods)
    return undefined
  }

  async #create(key: string, set: Replicated, count: number): Promise<unknown> {
    this.#expectations.expectCreations(key, count)
    const { successes, error } = await slowStart(count, () => this.#createOne(key, set))
    for (let skipped = count - successes; skipped > 0; skipped--) this.#expectations.creationObserved(key)
    return error
  }

  async #createOne(key: string, set: Replicated): Promise<void> {
    try {
      await this.#podControl.create(podFromTemplate(set.template, set), set)
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error
      // Nothing can be created there any more, and the informer will not show it.
      this.#expectations.creationObserved(key)
    }
  }

  async #delete(key: string, set: Replicated, victims: Pod[]): Promise<unknown> {
    this.#expectations.expectDeletions(key, victims.map(keyOf))
    const results = await Promise.allSettled(
      victims.map(async pod => {
        try {
          await this.#podControl.delete(pod, set)
        } catch (error) {
          this.#expectations.deletionObserved(key, keyOf(pod))
          if (!isNotFound(error)) throw error
        }
      }),
    )
    const failed = results.find(result => result.status === 'rejected')
    return failed?.reason
  }

  /** Pods of all sets with the same owner. Upstream: getIndirectlyRelatedPods. */
  #related(set: Replicated): Pod[] {
    const controller = controllerOf(set)
    const uids = controller
      ? controlledBy(this.#sets.lister, controller.uid).map(({ metadata }) => metadata.uid)
      : [set.metadata.uid]
    return uids.flatMap(uid => controlledBy(this.#pods.lister, uid))
  }

  /** Tried again once with the newest version: nobody else writes it. */
  async #writeStatus(object: T, { status: before }: Replicated, status: ReplicaSetStatus): Promise<void> {
    const { client } = this.#context
    const { resource, withStatus } = this.#kind
    const wanted = withStatus(object, status)
    if (isDeepStrictEqual((wanted as { status?: unknown }).status, before)) return
    const subresource = { subresource: 'status' }
    try {
      await client.update(resource, wanted as never, subresource)
    } catch (error) {
      if (isNotFound(error)) return
      if (!isConflict(error)) throw error
      const { name, namespace } = object.metadata
      const fresh = await client.get(resource, { name, namespace: namespace! })
      if (fresh.metadata.uid !== object.metadata.uid) return
      await client.update(resource, withStatus(fresh, status) as never, subresource)
    }
  }
}
