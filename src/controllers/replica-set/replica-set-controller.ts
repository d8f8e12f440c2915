// Keeps as many Pods as a ReplicaSet (or ReplicationController) asks for, and tells its status.
// Upstream: pkg/controller/replicaset/replica_set.go.
import { isDeepStrictEqual } from 'node:util'
import { pods as podResource } from '../../api/resources.ts'
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
import { createPods, deletePods, type ExpectedPods } from '../pod-control/expected-pods.ts'
import { expectingHandler } from '../pod-control/expecting-handler.ts'
import { claimable, controlledBy, ownerIndexers } from '../pod-control/owned-index.ts'
import { ownerOf } from '../pod-control/owner-of.ts'
import { messageOf, PodControl, podFromTemplate } from '../pod-control/pod-control.ts'
import { isActive, isTerminating, nextAvailabilityMs } from '../pod-control/pod-state.ts'
import { writeStatus } from '../write-status.ts'
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
    this.#pods.addHandler(
      expectingHandler({
        queue: this.#queue,
        expectations: this.#expectations,
        ownerOf: pod => ownerOf(this.#sets.lister, this.#kind.resource.kind, pod),
        enqueueSelecting: pod => this.#enqueueSelecting(pod),
      }),
    )
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
    const expected = { key, owner: set, podControl: this.#podControl, expectations: this.#expectations }
    if (action.do === 'create') return this.#create(expected, set, action.count)
    if (action.do === 'delete') return this.#delete(expected, action.pods)
    return undefined
  }

  async #create(expected: ExpectedPods, set: Replicated, count: number): Promise<unknown> {
    this.#expectations.expectCreations(expected.key, count)
    const { error } = await createPods(expected, count, () => podFromTemplate(set.template, set))
    return error
  }

  async #delete(expected: ExpectedPods, victims: readonly Pod[]): Promise<unknown> {
    this.#expectations.expectDeletions(expected.key, victims.map(keyOf))
    return deletePods(expected, victims)
  }

  /** Pods of all sets with the same owner. Upstream: getIndirectlyRelatedPods. */
  #related(set: Replicated): Pod[] {
    const controller = controllerOf(set)
    const uids = controller
      ? controlledBy(this.#sets.lister, controller.uid).map(({ metadata }) => metadata.uid)
      : [set.metadata.uid]
    return uids.flatMap(uid => controlledBy(this.#pods.lister, uid))
  }

  async #writeStatus(object: T, { status: before }: Replicated, status: ReplicaSetStatus): Promise<void> {
    const { resource, withStatus } = this.#kind
    const wanted = withStatus(object, status)
    if (isDeepStrictEqual((wanted as { status?: unknown }).status, before)) return
    await writeStatus(this.#context.client, resource, object, newest => withStatus(newest, status) as never)
  }
}
