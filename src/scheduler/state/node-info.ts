// What the scheduler knows about one node: the object, the Pods on it (bound or assumed) and what they ask for.
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { affinityTermsOf, hasPodAffinity } from './affinity-terms.ts'
import { type Amounts, allocatableOf, nonZeroRequestsOf, requestsOf } from './amounts.ts'
import { hostPortsOf, type PortUse, portsClash } from './host-ports.ts'

export class NodeInfo {
  node: Node
  readonly pods = new Map<string, Pod>()
  /** Those with any affinity or anti-affinity to Pods, and those that require anti-affinity. */
  readonly podsWithAffinity = new Map<string, Pod>()
  readonly podsWithAntiAffinity = new Map<string, Pod>()
  /** Sum of effective requests: millicores, bytes, counts. */
  readonly requested: Amounts = { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() }
  /** The same with a minimum per container, so that Pods without requests still spread. Upstream: NonZeroRequested. */
  readonly nonZero = { milliCpu: 0, memory: 0 }
  allocatable: Amounts & { pods: number }
  readonly #ports = new Map<string, readonly PortUse[]>()
  /** What was found out since the Pods last changed. */
  readonly #known = new Map<string, unknown>()

  constructor(node: Node) {
    this.node = node
    this.allocatable = allocatableOf(node)
  }

  get name(): string {
    return this.node.metadata.name
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node.metadata.labels ?? NO_LABELS
  }

  replaceNode(node: Node): void {
    if (this.node.status.allocatable !== node.status.allocatable) this.allocatable = allocatableOf(node)
    this.node = node
  }

  /** To try out what would be with other Pods. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node)
    for (const pod of this.pods.values()) copy.add(pod)
    return copy
  }

  add(pod: Pod): void {
    const { uid } = pod.metadata
    this.remove(uid)
    this.#known.clear()
    this.pods.set(uid, pod)
    this.#count(pod, 1)
    const ports = hostPortsOf(pod)
    if (ports.length > 0) this.#ports.set(uid, ports)
    if (!hasPodAffinity(pod)) return
    this.podsWithAffinity.set(uid, pod)
    if (affinityTermsOf(pod).requiredAntiAffinity.length > 0) this.podsWithAntiAffinity.set(uid, pod)
  }

  remove(uid: string): void {
    const pod = this.pods.get(uid)
    if (!pod) return
    this.pods.delete(uid)
    this.#known.clear()
    this.#count(pod, -1)
    this.#ports.delete(uid)
    this.podsWithAffinity.delete(uid)
    this.podsWithAntiAffinity.delete(uid)
  }

  /**
   * What `find` says of the Pods that are there, asked once until they change. The same `key` has to mean the same
   * question every time; the answer must not depend on anything but the Pods.
   */
  remember<T>(key: string, find: (pods: ReadonlyMap<string, Pod>) => T): T {
    if (this.#known.has(key)) return this.#known.get(key) as T
    const found = find(this.pods)
    if (this.#known.size >= MOST_ANSWERS) this.#known.clear()
    this.#known.set(key, found)
    return found
  }

  /** How many Pods are so. */
  countPods(key: string, isCounted: (pod: Pod) => boolean): number {
    return this.remember(key, pods => {
      let count = 0
      for (const pod of pods.values()) if (isCounted(pod)) count++
      return count
    })
  }

  hasPort(wanted: PortUse): boolean {
    for (const uses of this.#ports.values()) if (uses.some(used => portsClash(used, wanted))) return true
    return false
  }

  #count(pod: Pod, sign: 1 | -1): void {
    const asked = requestsOf(pod)
    this.requested.milliCpu += sign * asked.milliCpu
    this.requested.memory += sign * asked.memory
    this.requested.ephemeralStorage += sign * asked.ephemeralStorage
    for (const [name, amount] of asked.scalars) {
      this.requested.scalars.set(name, (this.requested.scalars.get(name) ?? 0) + sign * amount)
    }
    const nonZero = nonZeroRequestsOf(pod)
    this.nonZero.milliCpu += sign * nonZero.milliCpu
    this.nonZero.memory += sign * nonZero.memory
  }
}

/** Kept per node. */
const MOST_ANSWERS = 2_000

const NO_LABELS: Readonly<Record<string, string>> = {}
