// Pure judgement of one Pod: which node, or why none. Upstream: schedulePod (pkg/scheduler/schedule_one.go).
import type { Pod } from '../api/types/core-v1.ts'
import { Cycle, type CycleInput, notSatisfied, type OnlyNodes, type Verdict } from './cycle.ts'
import type { FitFailure } from './fit-error.ts'
import type { Plugin } from './framework.ts'
import type { ClusterView } from './state/cluster-view.ts'
import type { NodeInfo } from './state/node-info.ts'

export interface Found {
  node: string
  /** How many nodes were looked at: the next Pod starts after them. */
  looked: number
}

export interface Nowhere {
  node: undefined
  looked: number
  failure: FitFailure
  rejectedBy: ReadonlySet<string>
  cycle: Cycle
  /** By node name; a node that is missing was not looked at, and evicting from it would not help. */
  verdicts: ReadonlyMap<string, Verdict>
}

export type Placement = Found | Nowhere

export interface ScheduleInput extends CycleInput {
  /** Where in the nodes to begin looking, so that big clusters are used evenly. */
  startAt: number
  /** 0…1, breaks ties between equal scores. */
  random: () => number
}

const MIN_FEASIBLE_NODES = 100

export function scheduleOne(input: ScheduleInput): Placement {
  const { pod, cluster, plugins, nominated, startAt, random } = input
  const { cycle, end, only } = Cycle.begin(input)
  const nodeCount = cluster.nodes.length
  if (nodeCount === 0) return nowhere(cycle, { nodeCount, rejections: [] }, [], new Map(), 0)
  if (end) {
    const failure = { nodeCount, rejections: [], early: end.message }
    return nowhere(cycle, failure, end.plugins, everywhere(cluster, end), 0)
  }
  const promised = nominated.nodeOf(pod.metadata.uid)
  const home = promised !== undefined ? cluster.findNode(promised) : undefined
  if (home && (!only || only.names.has(home.name)) && !cycle.judge(home))
    return { node: home.name, looked: 0 }
  const { feasible, verdicts, looked } = findFeasible(cycle, candidatesOf(cluster, only), startAt)
  if (feasible.length > 0) return { node: best(pod, feasible, cluster, plugins, random).name, looked }
  const rejectedBy = [...[...verdicts.values()].map(({ plugin }) => plugin), ...(only?.plugins ?? [])]
  const failure = {
    nodeCount,
    rejections: [...verdicts.values()],
    ...(only && { others: notSatisfied(only.plugins) }),
  }
  return nowhere(cycle, failure, rejectedBy, verdicts, looked)
}

const nowhere = (
  cycle: Cycle,
  failure: FitFailure,
  rejectedBy: Iterable<string>,
  verdicts: ReadonlyMap<string, Verdict>,
  looked: number,
): Nowhere => ({ node: undefined, looked, failure, rejectedBy: new Set(rejectedBy), cycle, verdicts })

/** What was said of all nodes is said of each, as far as evicting Pods could change it. */
function everywhere(
  { nodes }: ClusterView,
  { resolvable, message, plugins }: { resolvable: boolean; message: string; plugins: readonly string[] },
): Map<string, Verdict> {
  if (!resolvable) return new Map()
  const verdict = { resolvable, reasons: [message], plugin: plugins[0]! }
  return new Map(nodes.map(({ name }) => [name, verdict]))
}

function candidatesOf(cluster: ClusterView, only: OnlyNodes | undefined): readonly NodeInfo[] {
  if (!only) return cluster.nodes
  return [...only.names].map(name => cluster.findNode(name)).filter(node => node !== undefined)
}

function findFeasible(cycle: Cycle, nodes: readonly NodeInfo[], startAt: number) {
  const enough = feasibleEnough(nodes.length)
  const feasible: NodeInfo[] = []
  const verdicts = new Map<string, Verdict>()
  let looked = 0
  while (looked < nodes.length && feasible.length < enough) {
    const node = nodes[(startAt + looked++) % nodes.length]!
    const verdict = cycle.judge(node)
    if (verdict) verdicts.set(node.name, verdict)
    else feasible.push(node)
  }
  return { feasible, verdicts, looked }
}

/** All nodes up to 100; of more, a share that shrinks from 50 % to 5 %. Upstream: numFeasibleNodesToFind. */
export function feasibleEnough(nodeCount: number): number {
  if (nodeCount < MIN_FEASIBLE_NODES) return nodeCount
  const percentage = Math.max(5, Math.floor(50 - nodeCount / 125))
  return Math.max(MIN_FEASIBLE_NODES, Math.floor((nodeCount * percentage) / 100))
}

function best(
  pod: Pod,
  feasible: readonly NodeInfo[],
  cluster: ClusterView,
  plugins: readonly Plugin[],
  random: () => number,
): NodeInfo {
  if (feasible.length === 1) return feasible[0]!
  const totals = scoresOf(pod, feasible, cluster, plugins)
  let highest = Number.NEGATIVE_INFINITY
  let winners: NodeInfo[] = []
  for (const [index, total] of totals.entries()) {
    if (total > highest) winners = []
    if (total >= highest) winners.push(feasible[index]!)
    highest = Math.max(highest, total)
  }
  return winners[Math.floor(random() * winners.length)]!
}

/** In the order of the nodes; each plugin's scores are brought to 0…100 and weighed. */
export function scoresOf(
  pod: Pod,
  feasible: readonly NodeInfo[],
  cluster: ClusterView,
  plugins: readonly Plugin[],
): number[] {
  const totals = new Array<number>(feasible.length).fill(0)
  for (const plugin of plugins) {
    if (!plugin.score) continue
    const prepared = plugin.prepareScore?.(pod, feasible, cluster) ?? { state: undefined }
    if (prepared === 'skip') continue
    const scores = feasible.map(node => plugin.score!(pod, node, prepared.state))
    plugin.normalize?.(scores, prepared.state, feasible)
    const weight = plugin.weight ?? 1
    for (let index = 0; index < scores.length; index++) totals[index]! += scores[index]! * weight
  }
  return totals
}
