// Nodes and the Pods on them, kept current by the informers; a Pod counts from the moment it is assumed to be bound.
import type { Node, Pod } from '../../api/types/core-v1.ts'
import type { ClusterObjects, ClusterView } from './cluster-view.ts'
import { NodeInfo } from './node-info.ts'

export class NodeCache implements ClusterView {
  readonly objects: ClusterObjects
  readonly #nodes = new Map<string, NodeInfo>()
  readonly #withAffinity = new Set<NodeInfo>()
  readonly #withAntiAffinity = new Set<NodeInfo>()
  /** Pods whose node is not known (yet), by node name. */
  readonly #homeless = new Map<string, Map<string, Pod>>()
  readonly #placeOf = new Map<string, string>()
  #list: NodeInfo[] | undefined

  constructor(objects: ClusterObjects) {
    this.objects = objects
  }

  get nodes(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()]
    return this.#list
  }

  get nodesWithPodAffinity(): Iterable<NodeInfo> {
    return this.#withAffinity
  }

  get nodesWithAntiAffinity(): Iterable<NodeInfo> {
    return this.#withAntiAffinity
  }

  findNode(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
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
    this.#sortOut(info)
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (!info) return
    this.#nodes.delete(name)
    this.#withAffinity.delete(info)
    this.#withAntiAffinity.delete(info)
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
      this.#sortOut(info)
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
    const info = this.#nodes.get(nodeName)
    if (info) {
      info.remove(uid)
      this.#sortOut(info)
    }
    const homeless = this.#homeless.get(nodeName)
    homeless?.delete(uid)
    if (homeless?.size === 0) this.#homeless.delete(nodeName)
    return true
  }

  #sortOut(info: NodeInfo): void {
    keep(this.#withAffinity, info, info.podsWithAffinity.size > 0)
    keep(this.#withAntiAffinity, info, info.podsWithAntiAffinity.size > 0)
  }
}

function keep<T>(set: Set<T>, member: T, belongs: boolean): void {
  if (belongs) set.add(member)
  else set.delete(member)
}
