// Deletes Pods that do not tolerate a NoExecute taint of their Node, or no longer.
// Upstream: pkg/controller/tainteviction/taint_eviction.go.
import { withDisruptionTarget } from '../../api/pod/pod-condition.ts'
import { nodes as nodeResource, pods as podResource } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Node, Pod, Taint } from '../../api/types/core-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { toleratedMs } from './tolerated-time.ts'

const CONCURRENCY = 8

interface Scheduled {
  uid: string
  /** When the taints were first seen with this Pod. */
  since: number
  due: number
}

export class TaintEvictionController {
  readonly #context: ControllerContext
  readonly #recorder: EventRecorder
  /** Pods to be judged. */
  readonly #queue: WorkQueue<string>
  readonly #nodes: Informer<Node>
  readonly #pods: Informer<Pod>
  /** By the Pod's key. */
  readonly #scheduled = new Map<string, Scheduled>()

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#recorder = new EventRecorder({ client, component: 'taint-eviction-controller', clock, log })
    this.#queue = new WorkQueue({ clock })
    this.#nodes = new Informer({ client, resource: nodeResource, clock, log })
    const indexers = { node: ({ spec }: Pod) => (spec.nodeName ? [spec.nodeName] : []) }
    this.#pods = new Informer({ client, resource: podResource, clock, log, indexers })
    const nodeChanged = ({ metadata }: Node) => {
      for (const pod of this.#pods.lister.byIndex('node', metadata.name)) this.#queue.add(keyOf(pod))
    }
    this.#nodes.addHandler({
      add: nodeChanged,
      update: (old, node) => {
        if (JSON.stringify(old.spec.taints) !== JSON.stringify(node.spec.taints)) nodeChanged(node)
      },
      delete: nodeChanged,
    })
    const podChanged = (pod: Pod) => this.#queue.add(keyOf(pod))
    this.#pods.addHandler({ add: podChanged, update: (_, pod) => podChanged(pod), delete: podChanged })
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#nodes, this.#pods]
    const reconcile = (key: string) => this.#reconcile(key)
    const loop = { queue: this.#queue, reconcile, signal, log: this.#context.log, concurrency: CONCURRENCY }
    await runController({ informers, ...loop })
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const pod = this.#pods.lister.findByKey(key)
    if (!pod || pod.metadata.deletionTimestamp) {
      this.#scheduled.delete(key)
      return undefined
    }
    const taints = noExecute(this.#nodes.lister.find(pod.spec.nodeName ?? ''))
    const ms = taints.length === 0 ? Infinity : toleratedMs(taints, pod.spec.tolerations ?? [])
    if (ms === Infinity) {
      this.#cancel(key, pod)
      return undefined
    }
    const now = this.#context.clock.now()
    const due = ms === 0 ? now : this.#schedule(key, pod, ms)
    if (due > now) return { requeueAfterMs: due - now }
    this.#scheduled.delete(key)
    await this.#evict(pod)
    return undefined
  }

  /** The time runs from when the taints were seen first. */
  #schedule(key: string, { metadata: { uid } }: Pod, ms: number): number {
    const now = this.#context.clock.now()
    const known = this.#scheduled.get(key)
    const since = known?.uid === uid ? known.since : now
    this.#scheduled.set(key, { uid, since, due: since + ms })
    return since + ms
  }

  #cancel(key: string, pod: Pod): void {
    if (!this.#scheduled.delete(key)) return
    this.#recorder.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`)
  }

  /** Upstream: addConditionAndDeletePod. */
  async #evict(pod: Pod): Promise<void> {
    const { client, clock } = this.#context
    const { name, namespace, uid } = pod.metadata
    const key = { name, namespace: namespace! }
    this.#recorder.event(
      pod,
      'Normal',
      'TaintManagerEviction',
      `Marking for deletion Pod ${namespace}/${name}`,
    )
    const message = 'Taint manager: deleting due to NoExecute taint'
    const marked = withDisruptionTarget(pod, 'DeletionByTaintManager', message, clock.now())
    const target = marked.status.conditions!.find(({ type }) => type === 'DisruptionTarget')
    const patch = { metadata: { uid }, status: { conditions: [target] } }
    try {
      await client.patch(podResource, key, 'application/strategic-merge-patch+json', patch, {
        subresource: 'status',
      })
      await client.delete(podResource, key, { preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

const noExecute = (node: Node | undefined): Taint[] =>
  node?.spec.taints?.filter(({ effect }) => effect === 'NoExecute') ?? []
