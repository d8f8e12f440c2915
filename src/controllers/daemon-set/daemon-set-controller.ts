// Keeps one Pod of a DaemonSet on every node that shall have one. What to do is decided in decide-daemon-set.ts.
// Upstream: pkg/controller/daemon.
import { isDeepStrictEqual } from 'node:util'
import { matcherOf } from '../../api/labels.ts'
import {
  controllerRevisions,
  daemonSets,
  nodes as nodeResource,
  pods as podResource,
} from '../../api/resources.ts'
import type { ControllerRevision, DaemonSet } from '../../api/types/apps-v1.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { type BackoffState, isInBackoffSinceUpdate, nextBackoff } from '../../base/backoff.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { RevisionHistory, revisionsToForget } from '../history/revision-history.ts'
import { claimObjects } from '../pod-control/claim-objects.ts'
import { Expectations } from '../pod-control/expectations.ts'
import { createPods, deletePods } from '../pod-control/expected-pods.ts'
import { expectingHandler } from '../pod-control/expecting-handler.ts'
import { claimable, ownerIndexers } from '../pod-control/owned-index.ts'
import { ownerOf } from '../pod-control/owner-of.ts'
import { PodControl } from '../pod-control/pod-control.ts'
import { nextAvailabilityMs } from '../pod-control/pod-state.ts'
import { writeStatus } from '../write-status.ts'
import { newDaemonPod } from './daemon-pod.ts'
import { type DaemonRevisions, hashOf, reviseDaemonSet } from './daemon-set-revisions.ts'
import { daemonSetStatus } from './daemon-set-status.ts'
import { type DaemonPlan, type ObservedDaemons, planPlaces, planUpdate } from './decide-daemon-set.ts'
import { nodeFit } from './node-fit.ts'

/** Upstream: --concurrent-daemonset-syncs. */
const CONCURRENCY = 2
/** So many at once, at most. */
const BURST_REPLICAS = 250
/** Between deletions of failed Pods on one node. */
const FAILED_PODS = { initialMs: 1_000, maxMs: 15 * 60_000 }

export class DaemonSetController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #sets: Informer<DaemonSet>
  readonly #pods: Informer<Pod>
  readonly #nodes: Informer<Node>
  readonly #revisions: Informer<ControllerRevision>
  readonly #history: RevisionHistory<DaemonSet>
  readonly #expectations: Expectations
  readonly #recorder: EventRecorder
  readonly #podControl: PodControl
  /** By set and node. */
  readonly #backoffs = new Map<string, BackoffState>()

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    const parts = { client, clock, log }
    this.#context = context
    this.#queue = new WorkQueue({ clock })
    this.#sets = new Informer({ ...parts, resource: daemonSets })
    this.#pods = new Informer({ ...parts, resource: podResource, indexers: ownerIndexers })
    this.#nodes = new Informer({ ...parts, resource: nodeResource })
    this.#revisions = new Informer({ ...parts, resource: controllerRevisions, indexers: ownerIndexers })
    this.#history = new RevisionHistory(client, this.#revisions.lister, daemonSets)
    this.#expectations = new Expectations(clock)
    this.#recorder = new EventRecorder({ ...parts, component: 'daemonset-controller' })
    this.#podControl = new PodControl({ client, recorder: this.#recorder })
    this.#listen()
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#sets, this.#pods, this.#nodes, this.#revisions]
    const reconcile = (key: string) => this.#reconcile(key)
    const loop = { queue: this.#queue, reconcile, signal, log: this.#context.log, concurrency: CONCURRENCY }
    await runController({ informers, ...loop })
  }

  #listen(): void {
    const enqueue = (set: DaemonSet) => this.#queue.add(keyOf(set))
    this.#sets.addHandler({
      add: enqueue,
      update: (old, set) => {
        if (old.metadata.uid !== set.metadata.uid) this.#expectations.forget(keyOf(old))
        enqueue(set)
      },
      delete: set => {
        this.#expectations.forget(keyOf(set))
        for (const key of this.#backoffs.keys()) if (isOfSet(key, set)) this.#backoffs.delete(key)
        enqueue(set)
      },
    })
    this.#pods.addHandler(
      expectingHandler({
        queue: this.#queue,
        expectations: this.#expectations,
        ownerOf: pod => this.#ownerOf(pod),
        enqueueSelecting: pod => this.#enqueueSelecting(pod),
      }),
    )
    const revisionChanged = (revision: ControllerRevision) => this.#revisionChanged(revision)
    this.#revisions.addHandler({
      add: revisionChanged,
      update: (_, revision) => revisionChanged(revision),
      delete: revisionChanged,
    })
    this.#nodes.addHandler({
      add: node => this.#nodeChanged(undefined, node),
      update: (old, node) => this.#nodeChanged(old, node),
      delete: node => this.#nodeChanged(node, undefined),
    })
  }

  /** Only sets that judge the node otherwise than before. */
  #nodeChanged(old: Node | undefined, node: Node | undefined): void {
    for (const set of this.#sets.lister.list()) {
      const [before, after] = [old, node].map(one => one && nodeFit(set, one))
      if (!isDeepStrictEqual(before, after)) this.#queue.add(keyOf(set))
    }
  }

  /** One that somebody took away or changed is made anew. */
  #revisionChanged(revision: ControllerRevision): void {
    const owner = this.#ownerOf(revision)
    if (owner) this.#queue.add(keyOf(owner))
  }

  #ownerOf(object: Pick<Pod, 'metadata'>): DaemonSet | undefined {
    return ownerOf(this.#sets.lister, 'DaemonSet', object)
  }

  #enqueueSelecting({ metadata }: Pod): void {
    for (const set of this.#sets.lister.list(metadata.namespace)) {
      if (matcherOf(set.spec.selector ?? undefined)(metadata.labels)) this.#queue.add(keyOf(set))
    }
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const set = this.#sets.lister.findByKey(key)
    if (!set) {
      this.#expectations.forget(key)
      return undefined
    }
    if (selectsEverything(set)) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.'
      this.#recorder.event(set, 'Warning', 'SelectingAll', message)
      return undefined
    }
    if (set.metadata.deletionTimestamp) return undefined
    const revisions = await reviseDaemonSet(this.#history, set)
    const failure = await this.#manage(key, set, revisions)
    const observed = await this.#observe(set, hashOf(revisions.newest))
    await this.#tellStatus(set, observed, revisions.collisionCount)
    if (failure !== undefined) throw failure
    const waits = [
      this.#expectations.waitMs(key),
      this.#backoffMs(set) ?? 0,
      nextAvailabilityMs(observed.pods, set.spec.minReadySeconds, this.#context.clock.now()) ?? 0,
    ].filter(wait => wait > 0)
    return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined
  }

  async #observe(set: DaemonSet, hash: string): Promise<ObservedDaemons> {
    const pods = await claimObjects({
      client: this.#context.client,
      owner: set,
      ownerResource: daemonSets,
      resource: podResource,
      objects: claimable(this.#pods.lister, set),
      selects: matcherOf(set.spec.selector ?? undefined),
    })
    const now = this.#context.clock.now()
    const isBackingOff = (node: string) =>
      isInBackoffSinceUpdate(this.#backoffs.get(backoffKey(set, node)), FAILED_PODS, now)
    return { nodes: this.#nodes.lister.list(), pods, hash, isBackingOff }
  }

  /** Answers what went wrong first, so that the status can be told before. */
  async #manage(key: string, set: DaemonSet, { newest, old }: DaemonRevisions): Promise<unknown> {
    if (this.#expectations.waitMs(key) > 0) return undefined
    const { clock } = this.#context
    const observed = await this.#observe(set, hashOf(newest))
    const failure = await this.#carryOut(key, set, planPlaces(set, observed, clock.now()), observed.hash)
    if (failure !== undefined || this.#expectations.waitMs(key) > 0) return failure
    const update = planUpdate(set, observed, clock.now())
    const failedUpdate = await this.#carryOut(key, set, update, observed.hash)
    if (failedUpdate === undefined) await this.#forgetOld(set, observed.pods, old)
    return failedUpdate
  }

  async #carryOut(key: string, set: DaemonSet, plan: DaemonPlan, hash: string): Promise<unknown> {
    for (const { pod, node } of plan.finished) this.#tellFinished(set, pod, node)
    const create = plan.create.slice(0, BURST_REPLICAS)
    const remove = plan.delete.slice(0, BURST_REPLICAS)
    if (create.length === 0 && remove.length === 0) return undefined
    this.#expectations.expect(key, create.length, remove.map(keyOf))
    const expected = { key, owner: set, podControl: this.#podControl, expectations: this.#expectations }
    const [created, deleted] = await Promise.all([
      createPods(expected, create.length, index => newDaemonPod(set, create[index]!, hash)),
      deletePods(expected, remove),
    ])
    return created.error ?? deleted
  }

  #tellFinished(set: DaemonSet, { metadata, status }: Pod, node: string): void {
    const pod = `${metadata.namespace}/${metadata.name}`
    if (status.phase === 'Succeeded') {
      const message = `Found succeeded daemon pod ${pod} on node ${node}, will try to delete it`
      this.#recorder.event(set, 'Normal', 'SucceededDaemonPod', message)
      return
    }
    const key = backoffKey(set, node)
    const failedAt = this.#context.clock.now()
    this.#backoffs.set(key, nextBackoff(this.#backoffs.get(key), FAILED_PODS, { failedAt }))
    const message = `Found failed daemon pod ${pod} on node ${node}, will try to kill it`
    this.#recorder.event(set, 'Warning', 'FailedDaemonPod', message)
  }

  /** Until the next failed Pod of the set may be deleted. */
  #backoffMs(set: DaemonSet): number | undefined {
    const now = this.#context.clock.now()
    const waits = [...this.#backoffs]
      .filter(([key]) => isOfSet(key, set))
      .map(([, { lastUpdateAt, delayMs }]) => lastUpdateAt + delayMs - now)
      .filter(wait => wait > 0)
    return waits.length > 0 ? Math.min(...waits) : undefined
  }

  async #forgetOld(set: DaemonSet, pods: readonly Pod[], old: readonly ControllerRevision[]): Promise<void> {
    const limit = set.spec.revisionHistoryLimit
    if (limit === undefined) return
    const live = new Set(pods.map(({ metadata }) => metadata.labels?.['controller-revision-hash']))
    await this.#history.forget(revisionsToForget(old, revision => live.has(hashOf(revision)), limit))
  }

  async #tellStatus(set: DaemonSet, observed: ObservedDaemons, collisionCount: number): Promise<void> {
    const { client, clock } = this.#context
    const told = daemonSetStatus(set, observed, clock.now())
    const status = { ...told, ...(collisionCount > 0 && { collisionCount }) }
    if (isDeepStrictEqual(status, set.status)) return
    await writeStatus(client, daemonSets, set, newest => ({ ...newest, status }))
  }
}

const backoffKey = ({ metadata }: DaemonSet, node: string): string => `${metadata.uid}/${node}`

const isOfSet = (key: string, { metadata }: DaemonSet): boolean => key.startsWith(`${metadata.uid}/`)

const selectsEverything = ({ spec }: DaemonSet): boolean =>
  Object.keys(spec.selector?.matchLabels ?? {}).length + (spec.selector?.matchExpressions ?? []).length === 0
