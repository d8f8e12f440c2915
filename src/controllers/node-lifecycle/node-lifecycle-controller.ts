// Watches whether Nodes are heard of: conditions of silent ones, taints that follow from conditions, and the readiness
// of Pods on them. Upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go; where that looks at every Node
// every 5 s, here each Node's next deadline is waited for.
import { isDeepStrictEqual } from 'node:util'
import { withPodCondition } from '../../api/pod/pod-condition.ts'
import { leases as leaseResource, nodes as nodeResource, pods as podResource } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { Lease } from '../../api/types/coordination-v1.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { graceMs, readyStatus, silentConditions } from './node-health.ts'
import { hasNoExecute, wantedNoExecute, wantedTaints } from './node-taints.ts'
import { allDown, taintEveryMs, zoneOf, zoneState } from './zone-disruption.ts'

const LEASE_NAMESPACE = 'kube-node-lease'

export class NodeLifecycleController {
  readonly #context: ControllerContext
  readonly #recorder: EventRecorder
  readonly #queue: WorkQueue<string>
  readonly #nodes: Informer<Node>
  readonly #leases: Informer<Lease>
  readonly #pods: Informer<Pod>
  /** When each Node was last heard of, by this clock. */
  readonly #heardAt = new Map<string, number>()
  /** When the next Node of a zone may be tainted with NoExecute. */
  readonly #mayTaintAt = new Map<string, number>()
  #allWereDown = false

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#recorder = new EventRecorder({ client, component: 'node-controller', clock, log })
    this.#queue = new WorkQueue({ clock })
    this.#nodes = new Informer({ client, resource: nodeResource, clock, log })
    this.#leases = new Informer({ client, resource: leaseResource, clock, log, namespace: LEASE_NAMESPACE })
    const indexers = { node: ({ spec }: Pod) => (spec.nodeName ? [spec.nodeName] : []) }
    this.#pods = new Informer({ client, resource: podResource, clock, log, indexers })
    this.#listen()
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#nodes, this.#leases, this.#pods]
    const reconcile = (name: string) => this.#reconcile(name)
    const { log } = this.#context
    await runController({ informers, queue: this.#queue, reconcile, signal, log })
  }

  #listen(): void {
    this.#nodes.addHandler({
      add: node => this.#nodeAdded(node),
      update: (old, node) => this.#nodeChanged(old, node),
      delete: node => {
        const { name } = node.metadata
        this.#heardAt.delete(name)
        this.#tellNode(node, 'RemovingNode', `Removing Node ${name} from Controller`)
        this.#lookAtAll()
      },
    })
    this.#leases.addHandler({
      update: (old, lease) => {
        if (old.spec.renewTime !== lease.spec.renewTime) this.#heard(lease.metadata.name)
      },
    })
    const podSeen = (pod: Pod) => {
      const node = this.#nodes.lister.find(pod.spec.nodeName ?? '')
      const ready = node && readyStatus(node)
      if (ready !== undefined && ready !== 'True' && isReady(pod)) this.#queue.add(node!.metadata.name)
    }
    this.#pods.addHandler({ add: podSeen, update: (_, pod) => podSeen(pod) })
  }

  #nodeAdded(node: Node): void {
    const { name } = node.metadata
    this.#heard(name)
    this.#tellNode(node, 'RegisteredNode', `Registered Node ${name} in Controller`)
    this.#lookAtAll()
  }

  #nodeChanged(old: Node, node: Node): void {
    const { name } = node.metadata
    if (isHeartbeat(old, node)) this.#heard(name)
    if (readyStatus(old) !== readyStatus(node)) this.#lookAtAll()
    else this.#queue.add(name)
  }

  #heard(name: string): void {
    this.#heardAt.set(name, this.#context.clock.now())
    this.#queue.add(name)
  }

  /** What one Node may get depends on how many others are down. */
  #lookAtAll(): void {
    const nodes = this.#nodes.lister.list()
    const down = allDown(nodes)
    if (this.#allWereDown && !down) {
      // The fault was on this side: everybody gets the full time again.
      for (const { metadata } of nodes) this.#heardAt.set(metadata.name, this.#context.clock.now())
    }
    this.#allWereDown = down
    for (const { metadata } of nodes) this.#queue.add(metadata.name)
  }

  async #reconcile(name: string): Promise<Requeue | undefined> {
    const node = this.#nodes.lister.find(name)
    if (!node) return undefined
    const { clock } = this.#context
    try {
      const silentAt = (this.#heardAt.get(name) ?? clock.now()) + graceMs(node)
      const judged = silentAt <= clock.now() ? await this.#silence(node) : node
      const taintInMs = await this.#taint(judged)
      if (readyStatus(judged) !== undefined && readyStatus(judged) !== 'True') await this.#unreadyPods(name)
      const waits = [silentAt - clock.now(), taintInMs ?? 0].filter(wait => wait > 0)
      return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      if (!isConflict(error)) throw error
      this.#queue.addRateLimited(name)
      return undefined
    }
  }

  async #silence(node: Node): Promise<Node> {
    const old = node.status.conditions ?? []
    const conditions = silentConditions(node, this.#context.clock.now())
    if (conditions === old) return node
    const status = { ...node.status, conditions: [...conditions] }
    const wasReady = readyStatus(node) === 'True'
    const written = await this.#context.client.update(
      nodeResource,
      { ...node, status },
      { subresource: 'status' },
    )
    const { name } = node.metadata
    if (wasReady) {
      this.#recorder.event(
        nodeReference(node),
        'Normal',
        'NodeNotReady',
        `Node ${name} status is now: NodeNotReady`,
      )
    }
    return written
  }

  /** Answers in how many milliseconds the Node may be tainted with NoExecute, if it has to wait. */
  async #taint(node: Node): Promise<number | undefined> {
    const { client, clock } = this.#context
    const now = clock.now()
    const { key, waitMs } = this.#noExecute(node, now)
    const taints = wantedTaints(node, key, now)
    if (isDeepStrictEqual(taints, node.spec.taints ?? [])) return waitMs
    const { taints: _, ...spec } = node.spec
    const changed = { ...spec, ...(taints.length > 0 && { taints: [...taints] }) }
    await client.update(nodeResource, { ...node, spec: changed })
    return waitMs
  }

  #noExecute(node: Node, now: number): { key?: string; waitMs?: number } {
    const key = wantedNoExecute(node)
    const nodes = this.#nodes.lister
      .list()
      .map(one => (one.metadata.name === node.metadata.name ? node : one))
    if (!key || allDown(nodes)) return {}
    if (hasNoExecute(node)) return { key }
    const zone = zoneOf(node)
    const neighbours = nodes.filter(one => zoneOf(one) === zone)
    const every = taintEveryMs(zoneState(neighbours), neighbours.length)
    if (every === undefined) return {}
    const waitMs = (this.#mayTaintAt.get(zone) ?? now) - now
    if (waitMs > 0) return { waitMs }
    this.#mayTaintAt.set(zone, now + every)
    return { key }
  }

  /** Upstream: MarkPodsNotReady. */
  async #unreadyPods(node: string): Promise<void> {
    const { client, clock } = this.#context
    for (const pod of this.#pods.lister.byIndex('node', node).filter(isReady)) {
      const { lastTransitionTime: _, ...old } = pod.status.conditions!.find(({ type }) => type === 'Ready')!
      const unready = withPodCondition(pod, { ...old, status: 'False' }, clock.now())
      try {
        await client.update(podResource, unready, { subresource: 'status' })
        this.#recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
  }

  #tellNode(node: Node, reason: string, what: string): void {
    const message = `Node ${node.metadata.name} event: ${what}`
    this.#recorder.event(nodeReference(node), 'Normal', reason, message)
  }
}

const nodeReference = ({ metadata: { name, uid } }: Node) => ({ apiVersion: 'v1', kind: 'Node', name, uid })

const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

/** Its kubelet has written, and not this controller. */
function isHeartbeat(old: Node, node: Node): boolean {
  if (readyStatus(node) === 'Unknown') return false
  if (readyStatus(old) === 'Unknown') return true
  const beats = ({ status }: Node) =>
    (status.conditions ?? []).map(({ type, lastHeartbeatTime }) => [type, lastHeartbeatTime])
  return !isDeepStrictEqual(beats(old), beats(node))
}
