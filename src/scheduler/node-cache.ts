// Nodes and the Pods on them, kept current by the informers; a Pod counts from the moment it is assumed to be bound.
import type { Node, Pod } from '../api/types/core-v1.ts'
import { NodeInfo } from './node-info.ts'

export class NodeCache {
  readonly #nodes = new Map<string, NodeInfo>()
  /** Pods whose node is not known (yet), by node name. */
  readonly #homeless = new Map<string, Map<string, Pod>>()
  readonly #placeOf = new Map<string, string>()
  #list: NodeInfo[] | undefined

  /** Stable order: as nodes came. */
  get nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()]
    return this.#list
  }

  setNode(node: Node): void {
    const known = this.#nodes.get(node.metadata.name)
    if (known) {
      known.replaceNode(node)
      return
    }
    const info = new NodeInfo(node)
    this.#nodes.set(info.name, info)
    this.#list = undefined
    for (const pod of this.#homeless.get(info.name)?.values() ?? []) info.add(pod)
    this.#homeless.delete(info.name)
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (!info) return
    this.#nodes.delete(name)
    this.#list = undefined
    if (info.pods.size > 0) this.#homeless.set(name, new Map(info.pods))
  }

  /** A Pod with a node: bound, or assumed with the node it is about to get. */
  setPod(pod: Pod, nodeName: string): void {
    this.removePod(pod.metadata.uid)
    this.#placeOf.set(pod.metadata.uid, nodeName)
    const info = this.#nodes.get(nodeName)
    if (info) {
      info.add(pod)
      return
    }
    const waiting = this.#homeless.get(nodeName) ?? new Map<string, Pod>()
    this.#homeless.set(nodeName, waiting.set(pod.metadata.uid, pod))
  }

  /** True when the Pod was on a node. */
  removePod(uid: string): boolean {
    const nodeName = this.#placeOf.get(uid)
    if (nodeName === undefined) return false
    this.#placeOf.delete(uid)
    this.#nodes.get(nodeName)?.remove(uid)
    this.#homeless.get(nodeName)?.delete(uid)
    return true
  }
}
