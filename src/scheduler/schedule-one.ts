// Pure judgement of one Pod: which node, or why none. Upstream: schedulePod (pkg/scheduler/schedule_one.go).
import type { Pod } from '../api/types/core-v1.ts'
import type { FitFailure } from './fit-error.ts'
import type { Plugin, Rejection } from './framework.ts'
import type { NodeInfo } from './node-info.ts'

export type Placement = { node: string } | { node: undefined; failure: FitFailure; rejectedBy: Set<string> }

export interface ScheduleInput {
  pod: Pod
  nodes: readonly NodeInfo[]
  plugins: readonly Plugin[]
  /** Where in `nodes` to begin looking, so that big clusters are used evenly. */
  startAt: number
  /** 0…1, breaks ties between equal scores. */
  random: () => number
}

const MIN_FEASIBLE_NODES = 100

export function scheduleOne({ pod, nodes, plugins, startAt, random }: ScheduleInput): Placement {
  const states = new Map<Plugin, unknown>()
  let candidates = nodes
  for (const plugin of plugins) {
    const { state, rejection, onlyNodes } = plugin.prepare?.(pod, nodes) ?? {}
    if (rejection)
      return nowhere({ nodeCount: nodes.length, rejections: [], early: rejection.message }, [plugin.name])
    if (onlyNodes) candidates = candidates.filter(({ name }) => onlyNodes.has(name))
    states.set(plugin, state)
  }
  const { feasible, rejections, rejectedBy } = findFeasible(pod, candidates, plugins, states, startAt)
  if (feasible.length === 0) return nowhere({ nodeCount: nodes.length, rejections }, rejectedBy)
  return { node: best(pod, feasible, plugins, states, random).name }
}

function nowhere(failure: FitFailure, rejectedBy: Iterable<string>): Placement {
  return { node: undefined, failure, rejectedBy: new Set(rejectedBy) }
}

function findFeasible(
  pod: Pod,
  nodes: readonly NodeInfo[],
  plugins: readonly Plugin[],
  states: ReadonlyMap<Plugin, unknown>,
  startAt: number,
) {
  const enough = feasibleEnough(nodes.length)
  const filters = plugins.filter(({ filter }) => filter)
  const feasible: NodeInfo[] = []
  const rejections: Rejection[] = []
  const rejectedBy = new Set<string>()
  for (let step = 0; step < nodes.length && feasible.length < enough; step++) {
    const node = nodes[(startAt + step) % nodes.length]!
    const verdict = judge(pod, node, filters, states)
    if (!verdict) feasible.push(node)
    else {
      rejections.push(verdict.rejection)
      rejectedBy.add(verdict.plugin.name)
    }
  }
  return { feasible, rejections, rejectedBy }
}

/** The first plugin that turns the node away; the ones after it are not asked. */
function judge(pod: Pod, node: NodeInfo, filters: readonly Plugin[], states: ReadonlyMap<Plugin, unknown>) {
  for (const plugin of filters) {
    const rejection = plugin.filter!(pod, node, states.get(plugin))
    if (rejection) return { plugin, rejection }
  }
  return undefined
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
  plugins: readonly Plugin[],
  states: ReadonlyMap<Plugin, unknown>,
  random: () => number,
): NodeInfo {
  if (feasible.length === 1) return feasible[0]!
  const totals = new Array<number>(feasible.length).fill(0)
  for (const plugin of plugins) {
    if (!plugin.score) continue
    const scores = feasible.map(node => plugin.score!(pod, node, states.get(plugin)))
    plugin.normalize?.(scores)
    for (const [index, score] of scores.entries()) totals[index]! += score * (plugin.weight ?? 1)
  }
  const highest = Math.max(...totals)
  const winners = feasible.filter((_, index) => totals[index] === highest)
  return winners[Math.floor(random() * winners.length)]!
}
