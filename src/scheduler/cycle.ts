// One Pod's turn: what the plugins computed for it, and whether it fits a node. Pure; a copy tries out other worlds.
import type { Pod } from '../api/types/core-v1.ts'
import type { Plugin, Prepared, Rejection } from './framework.ts'
import type { ClusterView } from './state/cluster-view.ts'
import type { NodeInfo } from './state/node-info.ts'
import type { NominatedPods } from './state/nominated-pods.ts'

export interface CycleInput {
  pod: Pod
  cluster: ClusterView
  plugins: readonly Plugin[]
  nominated: NominatedPods
}

export interface Verdict extends Rejection {
  plugin: string
}

/** A plugin that has something to filter for this Pod, with its state. */
interface ActiveFilter {
  plugin: Plugin
  state: unknown
}

/** Nothing has to be looked at: no node can fit. */
export interface EarlyEnd {
  plugins: readonly string[]
  message: string
  resolvable: boolean
}

export class Cycle {
  readonly pod: Pod
  readonly cluster: ClusterView
  readonly #filters: ActiveFilter[]
  readonly #nominated: NominatedPods

  private constructor(input: Pick<CycleInput, 'pod' | 'cluster' | 'nominated'>, filters: ActiveFilter[]) {
    this.pod = input.pod
    this.cluster = input.cluster
    this.#nominated = input.nominated
    this.#filters = filters
  }

  /** Asks each plugin in turn; `only` are the nodes that the Pod names, by which plugins. */
  static begin(input: CycleInput): { cycle: Cycle; end?: EarlyEnd; only?: OnlyNodes } {
    const filters: ActiveFilter[] = []
    let only: OnlyNodes | undefined
    for (const plugin of input.plugins) {
      const prepared: Prepared<unknown> = plugin.prepare?.(input.pod, input.cluster) ?? {}
      if (prepared.rejection) {
        const { reasons, resolvable } = prepared.rejection
        const end = { plugins: [plugin.name], message: reasons.join(', '), resolvable }
        return { cycle: new Cycle(input, filters), end }
      }
      if (prepared.onlyNodes) only = narrowed(only, prepared.onlyNodes, plugin.name)
      if (plugin.filter && !prepared.skip) filters.push({ plugin, state: prepared.state })
    }
    const cycle = new Cycle(input, filters)
    if (!only || only.names.size > 0) return { cycle, ...(only && { only }) }
    const message = `${notSatisfied(only.plugins)}${only.plugins.length > 1 ? ' simultaneously' : ''}`
    return { cycle, end: { plugins: only.plugins, message, resolvable: false } }
  }

  /** Pods that were promised the node count as there, and as not there: the Pod has to fit both ways. */
  judge(node: NodeInfo): Verdict | undefined {
    const promised = this.#nominated.before(this.pod, node.name)
    if (promised.length === 0) return this.judgeAlone(node)
    const crowded = node.clone()
    const cycle = this.copy()
    for (const other of promised) cycle.put(other, crowded)
    return cycle.judgeAlone(crowded) ?? this.judgeAlone(node)
  }

  /** The first plugin that turns the node away; the ones after it are not asked. */
  judgeAlone(node: NodeInfo): Verdict | undefined {
    for (const { plugin, state } of this.#filters) {
      const rejection = plugin.filter!(this.pod, node, state)
      if (rejection) return { ...rejection, plugin: plugin.name }
    }
    return undefined
  }

  /** With states of its own, to be changed. */
  copy(): Cycle {
    const filters = this.#filters.map(({ plugin, state }) => ({
      plugin,
      state: plugin.copy ? plugin.copy(state) : state,
    }))
    return new Cycle({ pod: this.pod, cluster: this.cluster, nominated: this.#nominated }, filters)
  }

  /** Changes the states of this copy and the node, which must be a clone. */
  put(other: Pod, node: NodeInfo): void {
    node.add(other)
    this.#change(other, node, 1)
  }

  take(other: Pod, node: NodeInfo): void {
    node.remove(other.metadata.uid)
    this.#change(other, node, -1)
  }

  #change(other: Pod, node: NodeInfo, by: 1 | -1): void {
    for (const { plugin, state } of this.#filters) plugin.change?.(state, this.pod, other, node, by)
  }
}

export interface OnlyNodes {
  names: ReadonlySet<string>
  plugins: readonly string[]
}

function narrowed(known: OnlyNodes | undefined, names: ReadonlySet<string>, plugin: string): OnlyNodes {
  if (!known) return { names, plugins: [plugin] }
  return { names: known.names.intersection(names), plugins: [...known.plugins, plugin] }
}

export const notSatisfied = (plugins: readonly string[]) =>
  `node(s) didn't satisfy plugin(s) [${plugins.toSorted().join(' ')}]`
