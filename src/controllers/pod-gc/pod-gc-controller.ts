// Takes away Pods that no kubelet will: of Nodes that are gone or out of service, deleted before they were scheduled,
// and the oldest of very many finished ones. Upstream: pkg/controller/podgc/gc_controller.go, which sweeps every 20 s;
// here the events that make a Pod garbage lead to it.
import { withDisruptionTarget } from '../../api/pod/pod-condition.ts'
import { nodes as nodeResource, pods as podResource } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { type Requeue, runInformed, runReconciler } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { createdAt, isTerminal } from '../pod-control/pod-state.ts'

/** Upstream: --terminated-pod-gc-threshold. */
const TERMINATED_THRESHOLD = 12_500
/** A Node that is missing may only be late. Upstream: quarantineTime. */
const QUARANTINE_MS = 40_000
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'
const SURPLUS = 'surplus'

export interface PodGcContext extends ControllerContext {
  /** How many finished Pods are kept. 0: all. */
  terminatedThreshold?: number
}

export class PodGcController {
  readonly #context: PodGcContext
  readonly #threshold: number
  /** 'node/NAME', 'pod/NAMESPACE/NAME' or 'surplus'. */
  readonly #queue: WorkQueue<string>
  readonly #nodes: Informer<Node>
  readonly #pods: Informer<Pod>

  constructor(context: PodGcContext) {
    const { client, clock, log, terminatedThreshold = TERMINATED_THRESHOLD } = context
    this.#context = context
    this.#threshold = terminatedThreshold
    this.#queue = new WorkQueue({ clock })
    this.#nodes = new Informer({ client, resource: nodeResource, clock, log })
    const indexers = {
      node: ({ spec }: Pod) => (spec.nodeName ? [spec.nodeName] : []),
      terminated: (pod: Pod) => (isTerminal(pod) ? ['yes'] : []),
    }
    this.#pods = new Informer({ client, resource: podResource, clock, log, indexers })
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#context
    const reconcile = (key: string) => this.#reconcile(key)
    await runInformed([this.#nodes, this.#pods], signal, () => {
      this.#listen()
      return runReconciler({ queue: this.#queue, reconcile, signal, log })
    })
  }

  #listen(): void {
    this.#nodes.addHandler({
      update: (_, node) => {
        if (isOutOfService(node)) this.#queue.add(`node/${node.metadata.name}`)
      },
      delete: ({ metadata }) => this.#queue.addAfter(`node/${metadata.name}`, QUARANTINE_MS),
    })
    const look = (pod: Pod) => this.#look(pod)
    this.#pods.addHandler({ add: look, update: (_, pod) => look(pod) })
  }

  #look(pod: Pod): void {
    const { nodeName } = pod.spec
    if (isTerminal(pod)) this.#lookAtSurplus()
    if (!nodeName) {
      if (pod.metadata.deletionTimestamp) this.#queue.add(`pod/${keyOf(pod)}`)
      return
    }
    const node = this.#nodes.lister.find(nodeName)
    if (!node) this.#queue.addAfter(`node/${nodeName}`, QUARANTINE_MS)
    else if (pod.metadata.deletionTimestamp && isOutOfService(node)) this.#queue.add(`node/${nodeName}`)
  }

  #lookAtSurplus(): void {
    if (this.#threshold > 0 && this.#terminated().length > this.#threshold) this.#queue.add(SURPLUS)
  }

  #terminated(): Pod[] {
    return this.#pods.lister.byIndex('terminated', 'yes')
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    if (key === SURPLUS) return this.#deleteSurplus()
    const [kind, name] = [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)]
    if (kind === 'node') return this.#emptyNode(name)
    const pod = this.#pods.lister.findByKey(name)
    if (pod?.metadata.deletionTimestamp && !pod.spec.nodeName) await this.#delete(pod)
    return undefined
  }

  async #emptyNode(name: string): Promise<undefined> {
    const pods = this.#pods.lister.byIndex('node', name)
    const node = await this.#findNode(name)
    if (!node) await Promise.all(pods.map(pod => this.#delete(pod, 'PodGC: node no longer exists')))
    else if (isOutOfService(node)) {
      const going = pods.filter(({ metadata }) => metadata.deletionTimestamp)
      await Promise.all(going.map(pod => this.#delete(pod)))
    }
    return undefined
  }

  /** Asked, so that a Node that has just come is not missed. */
  async #findNode(name: string): Promise<Node | undefined> {
    try {
      return await this.#context.client.get(nodeResource, { name })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #deleteSurplus(): Promise<undefined> {
    const finished = this.#terminated().sort(
      (one, two) => createdAt(one) - createdAt(two) || (one.metadata.name < two.metadata.name ? -1 : 1),
    )
    const surplus = finished.slice(0, Math.max(0, finished.length - this.#threshold))
    await Promise.all(surplus.map(pod => this.#delete(pod)))
    return undefined
  }

  /** Failed first, so that whoever owns it can count it. Upstream: markFailedAndDeletePodWithCondition. */
  async #delete(pod: Pod, disruption?: string): Promise<void> {
    const { client, clock } = this.#context
    const { name, namespace } = pod.metadata
    const key = { name, namespace: namespace! }
    try {
      if (!isTerminal(pod)) {
        const marked = disruption
          ? withDisruptionTarget(pod, 'DeletionByPodGC', disruption, clock.now())
          : pod
        const { conditions = [] } = marked.status
        const status = { phase: 'Failed', ...(disruption && { conditions }) }
        const patch = { metadata: { uid: pod.metadata.uid }, status }
        await client.patch(podResource, key, 'application/strategic-merge-patch+json', patch, {
          subresource: 'status',
        })
      }
      await client.delete(podResource, key, {
        gracePeriodSeconds: 0,
        preconditions: { uid: pod.metadata.uid },
      })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

/** An operator has said that the Node is shut down. */
function isOutOfService({ spec, status }: Node): boolean {
  const isReady = status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  return !isReady && spec.taints?.some(({ key }) => key === OUT_OF_SERVICE) === true
}
