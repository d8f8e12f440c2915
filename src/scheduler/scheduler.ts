// Gives Pods their nodes: watches Pods and nodes, judges one Pod at a time, has it bound in the background.
// Upstream: pkg/scheduler/scheduler.go, eventhandlers.go, schedule_one.go.
import { nodes as nodeResource, pods as podResource } from '../api/resources.ts'
import { isConflict, isNotFound } from '../api/status-error.ts'
import type { Node, Pod } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { nextTurn } from '../base/next-turn.ts'
import type { Client } from '../client/client.ts'
import type { EventsV1Recorder } from '../client/events/events-v1-recorder.ts'
import { Informer } from '../client/informer.ts'
import { type Assumed, Binder } from './binder.ts'
import { type ClusterEvent, changedAspects, changedPodAspects } from './cluster-event.ts'
import { ClusterWatch } from './cluster-watch.ts'
import { fitErrorMessage } from './fit-error.ts'
import type { Plugin } from './framework.ts'
import { defaultPlugins } from './plugins/default-plugins.ts'
import { type PreemptionOutcome, Preemptor } from './preemption/preemptor.ts'
import { type MayHelp, type QueuedPod, SchedulingQueue } from './queue/scheduling-queue.ts'
import { type Nowhere, scheduleOne } from './schedule-one.ts'
import { NodeCache } from './state/node-cache.ts'
import { NominatedPods } from './state/nominated-pods.ts'
import { writePodStatus } from './write-pod-status.ts'

/** Event notes are cut at this length, as upstream does. */
const LONGEST_NOTE = 1024

export interface SchedulerOptions {
  client: Client
  clock: Clock
  log: Log
  recorder: EventsV1Recorder
  /** Pods with another name are somebody else's. */
  schedulerName?: string
  plugins?: readonly Plugin[]
  /** 0…1; breaks ties between equally good nodes. */
  random?: () => number
}

export class Scheduler {
  readonly #options: Required<SchedulerOptions>
  readonly #queue: SchedulingQueue
  readonly #watch: ClusterWatch
  readonly #cache: NodeCache
  readonly #nominated = new NominatedPods()
  readonly #binder: Binder
  readonly #preemptor: Preemptor
  /** Bindings under way: the Pod counts on its node though the API does not say so yet. */
  readonly #assumed = new Set<string>()
  readonly #background = new Set<Promise<void>>()
  #startAt = 0

  constructor(options: SchedulerOptions) {
    this.#options = {
      schedulerName: 'default-scheduler',
      plugins: defaultPlugins,
      random: Math.random,
      ...options,
    }
    this.#watch = new ClusterWatch({ ...options, onEvent: event => this.#happened(event) })
    this.#queue = new SchedulingQueue(options.clock, pod => this.#holderOf(pod))
    this.#cache = new NodeCache(this.#watch)
    const [watch, cache, nominated] = [this.#watch, this.#cache, this.#nominated]
    this.#binder = new Binder({ ...options, watch, cache, inBackground: work => this.#inBackground(work) })
    this.#preemptor = new Preemptor({
      ...this.#options,
      nominated,
      budgets: () => watch.budgets(),
      onEvent: event => this.#happened(event),
    })
  }

  /** Ends when the signal aborts and the bindings under way are answered. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, log } = this.#options
    const nodes = new Informer({ client, resource: nodeResource, clock, log })
    const pods = new Informer({ client, resource: podResource, clock, log })
    nodes.addHandler({
      add: node => this.#sawNode(undefined, node),
      update: (old, node) => this.#sawNode(old, node),
      delete: node => this.#lostNode(node),
    })
    pods.addHandler({
      add: pod => this.#sawPod(undefined, pod),
      update: (old, pod) => this.#sawPod(old, pod),
      delete: pod => this.#lostPod(pod),
    })
    const running = [nodes.run(signal), pods.run(signal), this.#watch.run(signal)]
    try {
      await Promise.race([Promise.all([nodes.synced, pods.synced, this.#watch.synced()]), ...running])
      while (!signal.aborted) {
        const queued = await this.#queue.next(signal)
        try {
          this.#schedule(queued)
        } catch (error) {
          this.#fail(queued, error)
        }
        await nextTurn()
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
    await Promise.allSettled([...running, ...this.#background])
  }

  #sawNode(old: Node | undefined, node: Node): void {
    this.#cache.setNode(node)
    if (!old) {
      this.#happened({ what: 'nodeAdded', node })
      return
    }
    const aspects = changedAspects(old, node)
    if (aspects.size > 0) this.#happened({ what: 'nodeChanged', old, node, aspects })
  }

  #lostNode(node: Node): void {
    this.#cache.removeNode(node.metadata.name)
    this.#happened({ what: 'nodeGone', node })
  }

  #sawPod(old: Pod | undefined, pod: Pod): void {
    if (isTerminal(pod)) this.#lostPod(pod)
    else if (pod.spec.nodeName) this.#sawAssigned(old, pod, pod.spec.nodeName)
    else if (pod.metadata.deletionTimestamp) this.#lostPod(pod)
    else if (this.#isMine(pod) && !this.#assumed.has(pod.metadata.uid)) this.#sawWaiting(old, pod)
  }

  #sawAssigned(old: Pod | undefined, pod: Pod, node: string): void {
    const { uid } = pod.metadata
    this.#assumed.delete(uid)
    this.#queue.remove(uid)
    this.#nominated.remove(uid)
    this.#cache.setPod(pod, node)
    if (!old?.spec.nodeName) {
      this.#happened({ what: 'podAssigned', pod })
      return
    }
    const aspects = changedPodAspects(old, pod)
    if (aspects.size > 0) this.#happened({ what: 'assignedPodChanged', old, pod, aspects })
  }

  /** Our own writes to its status are no reason to try again. */
  #sawWaiting(old: Pod | undefined, pod: Pod): void {
    const { uid } = pod.metadata
    const promised = pod.status.nominatedNodeName
    if (promised) this.#nominated.set(pod, promised)
    else if (old?.status.nominatedNodeName) this.#nominated.remove(uid)
    if (!old || !this.#queue.has(uid)) {
      this.#queue.add(pod)
      return
    }
    const event: ClusterEvent = { what: 'podChanged', old, pod, aspects: changedPodAspects(old, pod) }
    this.#queue.update(pod, this.#helps(event))
  }

  #lostPod(pod: Pod): void {
    const { uid } = pod.metadata
    const promised = this.#nominated.nodeOf(uid)
    this.#queue.remove(uid)
    this.#assumed.delete(uid)
    this.#nominated.remove(uid)
    if (this.#cache.removePod(uid)) this.#happened({ what: 'assignedPodGone', pod })
    if (promised !== undefined) this.#happened({ what: 'nominationOver', node: promised })
  }

  #isMine({ spec }: Pod): boolean {
    return spec.schedulerName === this.#options.schedulerName
  }

  /** The plugin that does not let it be tried. */
  #holderOf(pod: Pod): string | undefined {
    const { plugins } = this.#options
    return plugins.find(({ hold }) => hold?.(pod, this.#watch) !== undefined)?.name
  }

  #happened(event: ClusterEvent): void {
    this.#queue.wake(this.#helps(event))
  }

  #helps(event: ClusterEvent): MayHelp {
    const { plugins } = this.#options
    return ({ pod, rejectedBy }) =>
      plugins.some(plugin => rejectedBy.has(plugin.name) && plugin.mayHelp?.(event, pod))
  }

  #schedule(queued: QueuedPod): void {
    const { plugins, random } = this.#options
    const [cluster, nominated] = [this.#cache, this.#nominated]
    const placement = scheduleOne({
      pod: queued.pod,
      cluster,
      plugins,
      nominated,
      startAt: this.#startAt,
      random,
    })
    if (cluster.nodes.length > 0) this.#startAt = (this.#startAt + placement.looked) % cluster.nodes.length
    if (placement.node === undefined) this.#reject(queued, placement)
    else this.#place(queued, placement.node)
  }

  /** From now on it counts as being there. */
  #place(queued: QueuedPod, node: string): void {
    const { pod } = queued
    const assumed = this.#binder.assume(pod, node)
    this.#assumed.add(pod.metadata.uid)
    this.#nominated.remove(pod.metadata.uid)
    this.#cache.setPod(pod, node)
    this.#inBackground(this.#bind(queued, node, assumed))
  }

  async #bind(queued: QueuedPod, node: string, assumed: Assumed): Promise<void> {
    try {
      await this.#binder.bind(queued.pod, node, assumed)
    } catch (error) {
      await this.#binder.giveUp(queued.pod, assumed)
      this.#unplace(queued, error)
    } finally {
      this.#binder.forget(assumed)
    }
  }

  #unplace(queued: QueuedPod, error: unknown): void {
    const { pod } = queued
    // Bound or gone in the meantime: that was told by the informer.
    if (!this.#assumed.delete(pod.metadata.uid)) return
    this.#cache.removePod(pod.metadata.uid)
    this.#happened({ what: 'assignedPodGone', pod })
    this.#fail(queued, error)
  }

  /** Tried again after its back-off, unless it goes or somebody else binds it, which is about to be told. */
  #fail(queued: QueuedPod, error: unknown): void {
    const { pod } = queued
    this.#queue.errored(queued)
    if (isNotFound(error) || isConflict(error)) return
    const { name, namespace } = pod.metadata
    this.#options.log.warn({ error, pod: `${namespace}/${name}` }, 'a pod could not be scheduled')
    this.#tellFailure(pod, 'SchedulerError', error instanceof Error ? error.message : String(error))
  }

  #reject(queued: QueuedPod, nowhere: Nowhere): void {
    const { pod } = queued
    this.#queue.rejected(queued, nowhere.rejectedBy)
    const { told, isOver } = this.#binder.freeDevices(pod, nowhere, this.#options.random)
    const { preemption, nominatedNode, victims } = isOver ? NOTHING : this.#preemptor.judge(pod, nowhere)
    const help = preemption ? `${told}, preemption: ${preemption}` : told
    const message = fitErrorMessage({ ...nowhere.failure, ...(!victims && { help }) })
    this.#tellFailure(pod, 'Unschedulable', message, nominatedNode)
    if (victims) this.#inBackground(this.#preemptor.makeRoom(pod, victims))
  }

  #tellFailure(pod: Pod, reason: string, message: string, nominatedNode?: string): void {
    const note = message.length > LONGEST_NOTE ? `${message.slice(0, LONGEST_NOTE - 3)}...` : message
    this.#options.recorder.event(pod, undefined, 'Warning', 'FailedScheduling', 'Scheduling', note)
    const condition = { type: 'PodScheduled', status: 'False' as const, reason, message }
    const change = { condition, ...(nominatedNode !== undefined && { nominatedNode }) }
    this.#inBackground(writePodStatus(pod, change, this.#options))
  }

  #inBackground(work: Promise<void>): void {
    const kept = work.finally(() => this.#background.delete(kept))
    this.#background.add(kept)
  }
}

const NOTHING: PreemptionOutcome = {}

const isTerminal = ({ status }: Pod) => status.phase === 'Succeeded' || status.phase === 'Failed'
