// Keeps a StatefulSet's Pods, one of each ordinal, with their claims, in order. What to do is decided in
// decide-stateful-set.ts and choose-revisions.ts. Upstream: pkg/controller/statefulset.
import { isDeepStrictEqual } from 'node:util'
import { matcherOf } from '../../api/labels.ts'
import {
  controllerRevisions,
  persistentVolumeClaims,
  pods as podResource,
  statefulSets,
} from '../../api/resources.ts'
import type { ControllerRevision, StatefulSet, StatefulSetStatus } from '../../api/types/apps-v1.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { HISTORY_HASH, revisionHash, revisionName, templateOf, templatePatch } from '../history/revision.ts'
import { RevisionHistory, revisionsToForget } from '../history/revision-history.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { claimObjects } from '../pod-control/claim-objects.ts'
import { claimable, ownerIndexers } from '../pod-control/owned-index.ts'
import { ownerOf } from '../pod-control/owner-of.ts'
import { nextAvailabilityMs } from '../pod-control/pod-state.ts'
import { slowStart } from '../pod-control/slow-start.ts'
import { writeStatus } from '../write-status.ts'
import { chooseUpdateRevision, currentRevisionOf } from './choose-revisions.ts'
import { decideStatefulSet, type StatefulAction } from './decide-stateful-set.ts'
import { isMemberOf } from './ordinals.ts'
import { revisionOfPod } from './stateful-pod.ts'
import { StatefulPodControl } from './stateful-pod-control.ts'
import { statefulSetStatus } from './stateful-set-status.ts'

/** Upstream: --concurrent-statefulset-syncs. */
const CONCURRENCY = 5

interface Revisions {
  all: ControllerRevision[]
  current: ControllerRevision
  update: ControllerRevision
  collisionCount: number
}

export class StatefulSetController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #sets: Informer<StatefulSet>
  readonly #pods: Informer<Pod>
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #revisions: Informer<ControllerRevision>
  readonly #history: RevisionHistory<StatefulSet>
  readonly #control: StatefulPodControl

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    const parts = { client, clock, log }
    this.#context = context
    this.#queue = new WorkQueue({ clock })
    this.#sets = new Informer({ ...parts, resource: statefulSets })
    this.#pods = new Informer({ ...parts, resource: podResource, indexers: ownerIndexers })
    this.#claims = new Informer({ ...parts, resource: persistentVolumeClaims })
    this.#revisions = new Informer({ ...parts, resource: controllerRevisions, indexers: ownerIndexers })
    this.#history = new RevisionHistory(client, this.#revisions.lister, statefulSets)
    const recorder = new EventRecorder({ ...parts, component: 'statefulset-controller' })
    this.#control = new StatefulPodControl({ client, recorder, claims: this.#claims.lister })
    this.#listen()
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#sets, this.#pods, this.#claims, this.#revisions]
    const reconcile = (key: string) => this.#reconcile(key)
    const loop = { queue: this.#queue, reconcile, signal, log: this.#context.log, concurrency: CONCURRENCY }
    await runController({ informers, ...loop })
  }

  #listen(): void {
    const enqueue = (set: StatefulSet) => this.#queue.add(keyOf(set))
    this.#sets.addHandler({ add: enqueue, update: (_, set) => enqueue(set), delete: enqueue })
    this.#pods.addHandler({
      add: pod => this.#podChanged(pod),
      update: (old, pod) => {
        const before = this.#ownerOf(old)
        if (before && before !== this.#ownerOf(pod)) enqueue(before)
        this.#podChanged(pod)
      },
      delete: pod => this.#podChanged(pod),
    })
    // A claim that went away with an earlier Pod was in the way of the next one.
    this.#claims.addHandler({ delete: claim => this.#claimGone(claim) })
  }

  #podChanged(pod: Pod): void {
    const owner = this.#ownerOf(pod)
    if (owner) this.#queue.add(keyOf(owner))
    else if (!controllerOf(pod)) this.#enqueueSelecting(pod)
  }

  #claimGone({ metadata }: PersistentVolumeClaim): void {
    for (const set of this.#sets.lister.list(metadata.namespace)) {
      const templates = set.spec.volumeClaimTemplates ?? []
      const isOurs = templates.some(template =>
        metadata.name.startsWith(`${template.metadata.name}-${set.metadata.name}-`),
      )
      if (isOurs) this.#queue.add(keyOf(set))
    }
  }

  #ownerOf(pod: Pod): StatefulSet | undefined {
    return ownerOf(this.#sets.lister, 'StatefulSet', pod)
  }

  #enqueueSelecting({ metadata }: Pod): void {
    for (const set of this.#sets.lister.list(metadata.namespace)) {
      if (matcherOf(set.spec.selector ?? undefined)(metadata.labels)) this.#queue.add(keyOf(set))
    }
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const set = this.#sets.lister.findByKey(key)
    if (!set) return undefined
    const { clock } = this.#context
    const pods = await this.#claimPods(set)
    const revisions = await this.#revise(set)
    const phases = decideStatefulSet(
      set,
      {
        pods,
        current: versionOf(revisions.current),
        update: versionOf(revisions.update),
        claimsAreRight: pod => this.#control.claimsAreRight(set, pod),
        claimIsStale: ordinal => this.#control.claimIsStale(set, ordinal),
      },
      clock.now(),
    )
    const failure = await this.#perform(set, phases)
    await this.#tellStatus(set, pods, revisions)
    if (failure !== undefined) throw failure
    await this.#forgetOld(set, pods, revisions)
    const requeueAfterMs = nextAvailabilityMs(pods, set.spec.minReadySeconds, clock.now())
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
  }

  /** Only Pods that are called after the set. */
  #claimPods(set: StatefulSet): Promise<Pod[]> {
    return claimObjects({
      client: this.#context.client,
      owner: set,
      ownerResource: statefulSets,
      resource: podResource,
      objects: claimable(this.#pods.lister, set).filter(pod => isMemberOf(set, pod)),
      selects: matcherOf(set.spec.selector ?? undefined),
    })
  }

  async #revise(set: StatefulSet): Promise<Revisions> {
    const all = await this.#history.claim(set)
    const choice = chooseUpdateRevision(set, all)
    const count = set.status.collisionCount ?? 0
    if (choice.is === 'new') {
      const made = await this.#createRevision(set, choice.number, count)
      const current = currentRevisionOf(set, all, made.revision)
      return { all, current, update: made.revision, collisionCount: made.collisionCount }
    }
    const { revision } = choice
    const update = choice.is === 'newest' ? revision : await this.#history.renumber(revision, choice.number)
    return { all, current: currentRevisionOf(set, all, update), update, collisionCount: count }
  }

  #createRevision(set: StatefulSet, revision: number, collisionCount: number) {
    const { template } = set.spec
    const data = templatePatch(template)
    const { annotations } = set.metadata
    const draft = { labels: template.metadata?.labels ?? {}, annotations, data, revision }
    const naming = (count: number) => {
      const hash = revisionHash(data, count)
      return { name: revisionName(set.metadata.name, hash), labels: { [HISTORY_HASH]: hash } }
    }
    return this.#history.create(set, draft, naming, collisionCount)
  }

  /** Phase after phase; answers what went wrong first. */
  async #perform(set: StatefulSet, phases: StatefulAction[][]): Promise<unknown> {
    for (const actions of phases) {
      const act = (index: number) => this.#control.perform(set, actions[index]!)
      const { error } = await slowStart(actions.length, act)
      if (error !== undefined) return error
    }
    return undefined
  }

  async #forgetOld(
    set: StatefulSet,
    pods: readonly Pod[],
    { all, current, update }: Revisions,
  ): Promise<void> {
    const limit = set.spec.revisionHistoryLimit
    if (limit === undefined) return
    const live = new Set([current.metadata.name, update.metadata.name, ...pods.map(revisionOfPod)])
    await this.#history.forget(revisionsToForget(all, ({ metadata }) => live.has(metadata.name), limit))
  }

  async #tellStatus(set: StatefulSet, pods: readonly Pod[], revisions: Revisions): Promise<void> {
    const { client, clock } = this.#context
    const observed = {
      pods,
      currentRevision: revisions.current.metadata.name,
      updateRevision: revisions.update.metadata.name,
      collisionCount: revisions.collisionCount,
    }
    const status: StatefulSetStatus = statefulSetStatus(set, observed, clock.now())
    if (isDeepStrictEqual(status, set.status)) return
    await writeStatus(client, statefulSets, set, newest => ({ ...newest, status }))
  }
}

const versionOf = (revision: ControllerRevision) => ({
  revision: revision.metadata.name,
  template: templateOf(revision),
})
