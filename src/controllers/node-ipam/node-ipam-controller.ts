// Gives each Node that joins a range of Pod addresses of its own. Upstream: pkg/controller/nodeipam/ipam,
// range_allocator.go.
import { formatCidr, parseCidr } from '../../api/ip.ts'
import { nodes as nodeResource } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Node } from '../../api/types/core-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { freePodRange } from './free-pod-range.ts'

/** As upstream's --node-cidr-mask-size-ipv4. */
const NODE_BITS = 24

export interface PodRanges {
  /** Of all Nodes together: '10.244.0.0/16'. */
  cluster: string
  /** Ranges in it that no Node gets. */
  reserved: readonly string[]
}

export class NodeIpamController {
  readonly #context: ControllerContext
  readonly #ranges: PodRanges
  readonly #recorder: EventRecorder
  readonly #queue: WorkQueue<string>
  readonly #nodes: Informer<Node>
  /** By Node: given, though the informer may not show it yet. */
  readonly #given = new Map<string, string>()
  /** Who was told that no range is left. */
  readonly #waiting = new Set<string>()

  constructor(context: ControllerContext, ranges: PodRanges) {
    const { client, clock, log } = context
    this.#context = context
    this.#ranges = ranges
    this.#recorder = new EventRecorder({ client, component: 'cidrAllocator', clock, log })
    this.#queue = new WorkQueue({ clock })
    this.#nodes = new Informer({ client, resource: nodeResource, clock, log })
    this.#nodes.addHandler({
      add: node => this.#queue.add(node.metadata.name),
      update: (_, node) => {
        const { name } = node.metadata
        if (rangesOf(node).length === 0 && !this.#waiting.has(name)) this.#queue.add(name)
      },
      delete: ({ metadata }) => this.#left(metadata.name),
    })
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#context
    const reconcile = (name: string) => this.#reconcile(name)
    // One at a time: two Nodes must not get the same range.
    await runController({
      informers: [this.#nodes],
      queue: this.#queue,
      reconcile,
      signal,
      log,
      concurrency: 1,
    })
  }

  /** Its range is free: whoever waits longest gets it. */
  #left(name: string): void {
    this.#given.delete(name)
    this.#waiting.delete(name)
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next)
    this.#queue.add(next)
  }

  async #reconcile(name: string): Promise<undefined> {
    const node = this.#nodes.lister.find(name)
    if (!node || node.metadata.deletionTimestamp || rangesOf(node).length > 0 || this.#given.has(name)) return
    const range = freePodRange(parseCidr(this.#ranges.cluster)!, NODE_BITS, this.#used())
    if (!range) {
      this.#waiting.add(name)
      return this.#tell(node, 'CIDRNotAvailable')
    }
    const podCIDR = formatCidr(range)
    this.#given.set(name, podCIDR)
    try {
      const patch = { spec: { podCIDR, podCIDRs: [podCIDR] } }
      const type = 'application/strategic-merge-patch+json'
      await this.#context.client.patch(nodeResource, { name }, type, patch)
    } catch (error) {
      this.#given.delete(name)
      if (isNotFound(error)) return
      this.#tell(node, 'CIDRAssignmentFailed')
      throw error
    }
  }

  #used() {
    const nodes = this.#nodes.lister.list()
    const texts = [...nodes.flatMap(rangesOf), ...this.#given.values(), ...this.#ranges.reserved]
    return texts.map(parseCidr).filter(range => range !== undefined)
  }

  #tell(node: Node, status: string): undefined {
    const { name, uid } = node.metadata
    const reference = { apiVersion: 'v1', kind: 'Node', name, uid }
    this.#recorder.event(reference, 'Normal', status, `Node ${name} status is now: ${status}`)
  }
}

const rangesOf = ({ spec }: Node): readonly string[] =>
  spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : [])
