// What the scheduler knows about one node: the object, the Pods on it (bound or assumed) and what they ask for.
import type { Node, Pod } from '../api/types/core-v1.ts'
import { type Amounts, allocatableOf, nonZeroRequestsOf, requestsOf } from './amounts.ts'
import { hostPortsOf, type PortUse, portsClash } from './host-ports.ts'

export class NodeInfo {
  node: Node
  readonly pods = new Map<string, Pod>()
  /** Sum of effective requests: millicores, bytes, counts. */
  readonly requested: Amounts = { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() }
  /** The same with a minimum per container, so that Pods without requests still spread. Upstream: NonZeroRequested. */
  readonly nonZero = { milliCpu: 0, memory: 0 }
  allocatable: Amounts & { pods: number }
  #ports: PortUse[] = []

  constructor(node: Node) {
    this.node = node
    this.allocatable = allocatableOf(node)
  }

  get name(): string {
    return this.node.metadata.name
  }

  replaceNode(node: Node): void {
    this.node = node
    this.allocatable = allocatableOf(node)
  }

  add(pod: Pod): void {
    this.remove(pod.metadata.uid)
    this.pods.set(pod.metadata.uid, pod)
    this.#count(pod, 1)
    this.#ports.push(...hostPortsOf(pod))
  }

  remove(uid: string): void {
    const pod = this.pods.get(uid)
    if (!pod) return
    this.pods.delete(uid)
    this.#count(pod, -1)
    this.#ports = [...this.pods.values()].flatMap(hostPortsOf)
  }

  hasPort(wanted: PortUse): boolean {
    return this.#ports.some(used => portsClash(used, wanted))
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
