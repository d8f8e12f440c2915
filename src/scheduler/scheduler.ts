// Gives Pods their nodes: watches Pods and nodes, judges one Pod at a time, posts bindings in the background.
import { nodes as nodeResource, pods as podResource } from '../api/resources.ts'
import { isConflict, isNotFound } from '../api/status-error.ts'
import type { Pod, PodCondition } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import type { EventsV1Recorder } from '../client/events/events-v1-recorder.ts'
import { Informer } from '../client/informer.ts'
import { fitErrorMessage } from './fit-error.ts'
import type { ClusterChange, Plugin } from './framework.ts'
import { NodeCache } from './node-cache.ts'
import { defaultPlugins } from './plugins/default-plugins.ts'
import { type QueuedPod, SchedulingQueue } from './queue.ts'
import { type Placement, scheduleOne } from './schedule-one.ts'

/** Event notes are cut at this length, as upstream does. */
const LONGEST_NOTE = 1024

export interface SchedulerOptions {
  client: Client
  clock: Clock
  log: Log
  recorder: EventsV1Recorder
  schedulerName?: string
  plugins?: readonly Plugin[]
  /** 0…1; breaks ties between equally good nodes. */
  random?: () => number
}

export class Scheduler {
  readonly #options: Required<SchedulerOptions>
  readonly #queue: SchedulingQueue
  readonly #cache = new NodeCache()
  /** Bindings under way: the Pod counts on its node though the API does not say so yet. */
  readonly #assumed = new Set<string>()
  readonly #bindings = new Set<Promise<void>>()
  #startAt = 0

  constructor(options: SchedulerOptions) {
    this.#options = {
      schedulerName: 'default-scheduler',
      plugins: defaultPlugins,
      random: Math.random,
      ...options,
    }
    this.#queue = new SchedulingQueue(options.clock)
  }

  /** Ends when the signal aborts and the bindings under way are answered. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, log } = this.#options
    const nodes = new Informer({ client, resource: nodeResource, clock, log })
    const pods = new Informer({ client, resource: podResource, clock, log })
    nodes.addHandler({
      add: node => {
        this.#cache.setNode(node)
        this.#changed('nodeAdded')
      },
      update: (_, node) => {
        this.#cache.setNode(node)
        this.#changed('nodeChanged')
      },
      delete: node => this.#cache.removeNode(node.metadata.name),
    })
    pods.addHandler({
      add: pod => this.#sawPod(undefined, pod),
      update: (old, pod) => this.#sawPod(old, pod),
      delete: pod => this.#lostPod(pod),
    })
    const running = [nodes.run(signal), pods.run(signal)]
    try {
      await Promise.race([Promise.all([nodes.synced, pods.synced]), ...running])
      while (!signal.aborted) await this.#scheduleNext(signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
    await Promise.allSettled([...running, ...this.#bindings])
  }

  #sawPod(old: Pod | undefined, pod: Pod): void {
    const { uid } = pod.metadata
    if (isTerminal(pod)) this.#lostPod(pod)
    else if (pod.spec.nodeName) {
      this.#assumed.delete(uid)
      this.#queue.remove(uid)
      this.#cache.setPod(pod, pod.spec.nodeName)
      this.#changed(old?.spec.nodeName ? 'podChanged' : 'podAdded')
    } else if (pod.metadata.deletionTimestamp) this.#queue.remove(uid)
    else if (!this.#isMine(pod) || this.#assumed.has(uid)) return
    // Our own writes to its status are no reason to try again.
    else if (!old || old.metadata.generation !== pod.metadata.generation || changedLabels(old, pod))
      this.#queue.add(pod)
    else this.#queue.refresh(pod)
  }

  #lostPod(pod: Pod): void {
    this.#queue.remove(pod.metadata.uid)
    this.#assumed.delete(pod.metadata.uid)
    if (this.#cache.removePod(pod.metadata.uid)) this.#changed('podGone')
  }

  #isMine(pod: Pod): boolean {
    return pod.spec.schedulerName === this.#options.schedulerName
  }

  #changed(change: ClusterChange): void {
    const plugins = this.#options.plugins.filter(({ wakesOn }) => wakesOn?.includes(change))
    this.#queue.wake(new Set(plugins.map(({ name }) => name)))
  }

  async #scheduleNext(signal: AbortSignal): Promise<void> {
    const queued = await this.#queue.next(signal)
    const { pod } = queued
    const nodes = this.#cache.nodes
    const { plugins, random } = this.#options
    const placement = scheduleOne({ pod, nodes, plugins, startAt: this.#startAt, random })
    this.#startAt = nodes.length > 0 ? (this.#startAt + 1) % nodes.length : 0
    if (placement.node === undefined) return this.#reject(queued, placement)
    this.#assumed.add(pod.metadata.uid)
    this.#cache.setPod(pod, placement.node)
    const binding = this.#bind(queued, placement.node).finally(() => this.#bindings.delete(binding))
    this.#bindings.add(binding)
  }

  async #bind(queued: QueuedPod, node: string): Promise<void> {
    const { client, recorder, log } = this.#options
    const { name, namespace, uid } = queued.pod.metadata
    const body = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid },
      target: { kind: 'Node', name: node },
    }
    try {
      await client.createSubresource(podResource, { name, namespace: namespace! }, 'binding', body)
      const note = `Successfully assigned ${namespace}/${name} to ${node}`
      recorder.event(queued.pod, undefined, 'Normal', 'Scheduled', 'Binding', note)
    } catch (error) {
      this.#assumed.delete(uid)
      this.#cache.removePod(uid)
      // Gone, or bound by somebody else: its own events tell the rest.
      if (isNotFound(error) || isConflict(error)) return
      log.warn({ err: error, pod: `${namespace}/${name}`, node }, 'the binding was refused')
      this.#queue.failed(queued, queued.pod, new Set(), true)
    }
  }

  #reject(queued: QueuedPod, placement: Extract<Placement, { node: undefined }>): void {
    const { recorder } = this.#options
    this.#queue.failed(queued, queued.pod, placement.rejectedBy, false)
    // The API server has told why a gated Pod waits.
    if (placement.rejectedBy.has('SchedulingGates')) return
    const message = fitErrorMessage({ ...placement.failure, preemption: preemptionText(placement) })
    const note = message.length > LONGEST_NOTE ? `${message.slice(0, LONGEST_NOTE - 3)}...` : message
    recorder.event(queued.pod, undefined, 'Warning', 'FailedScheduling', 'Scheduling', note)
    void this.#writeCondition(queued.pod, message)
  }

  async #writeCondition(pod: Pod, message: string): Promise<void> {
    const old = pod.status.conditions?.find(({ type }) => type === 'PodScheduled')
    if (old?.status === 'False' && old.reason === 'Unschedulable' && old.message === message) return
    const now = new Date(this.#options.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const condition: Partial<PodCondition> = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: old?.status === 'False' ? old.lastTransitionTime : now,
    }
    const { name, namespace } = pod.metadata
    try {
      const patch = { status: { conditions: [condition] } }
      const type = 'application/strategic-merge-patch+json'
      await this.#options.client.patch(podResource, { name, namespace: namespace! }, type, patch, {
        subresource: 'status',
      })
    } catch (error) {
      if (isNotFound(error)) return
      this.#options.log.warn(
        { err: error, pod: `${namespace}/${name}` },
        'the PodScheduled condition was not written',
      )
    }
  }
}

const isTerminal = ({ status }: Pod) => status.phase === 'Succeeded' || status.phase === 'Failed'

const changedLabels = (old: Pod, pod: Pod) =>
  JSON.stringify(old.metadata.labels) !== JSON.stringify(pod.metadata.labels)

/**
 * Without lower-priority Pods to evict, preemption finds nobody. Upstream: preemption.Evaluator's FitError text; nodes
 * turned away for good are told apart from those without victims.
 */
function preemptionText({
  failure: { nodeCount, rejections, early },
}: Extract<Placement, { node: undefined }>): string {
  if (nodeCount === 0) return ''
  const helpless = early ? nodeCount : rejections.filter(({ resolvable }) => !resolvable).length
  const reasons = [
    ...(nodeCount - helpless > 0
      ? [`${nodeCount - helpless} No preemption victims found for incoming pod`]
      : []),
    ...(helpless > 0 ? [`${helpless} Preemption is not helpful for scheduling`] : []),
  ]
  return `preemption: 0/${nodeCount} nodes are available: ${reasons.sort().join(', ')}.`
}
