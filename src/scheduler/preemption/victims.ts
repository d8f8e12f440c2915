// Who would have to go from a node so that a Pod fits. Pure. Upstream: SelectVictimsOnNode
// (plugins/defaultpreemption/default_preemption.go).
import { priorityOf } from '../../api/pod/priority.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Cycle } from '../cycle.ts'
import type { Rejection } from '../framework.ts'
import type { NodeInfo } from '../state/node-info.ts'
import type { Budget } from './disruption-budgets.ts'
import { violatesBudgets } from './disruption-budgets.ts'

export interface Victims {
  node: string
  /** Most important first. */
  pods: readonly Pod[]
  /** How many of them a PodDisruptionBudget protects. */
  violations: number
}

export type VictimsOrWhyNot = { victims: Victims; why?: undefined } | { victims?: undefined; why: Rejection }

const NO_VICTIMS: Rejection = {
  reasons: ['No preemption victims found for incoming pod'],
  resolvable: false,
}

/** All less important Pods go, then as many as possible may stay: first those with a budget, the important ones first. */
export function selectVictims(
  cycle: Cycle,
  node: NodeInfo,
  budgets: readonly Budget[],
  now: number,
): VictimsOrWhyNot {
  const { pod } = cycle
  const lesser = [...node.pods.values()].filter(other => priorityOf(other) < priorityOf(pod))
  if (lesser.length === 0) return { why: NO_VICTIMS }
  const world = cycle.copy()
  const emptied = node.clone()
  for (const other of lesser) world.take(other, emptied)
  const why = world.judge(emptied)
  if (why) return { why }
  const isProtected = violatesBudgets(
    lesser.sort((a, b) => compareImportance(a, b, now)),
    budgets,
  )
  const goes = (other: Pod) => {
    world.put(other, emptied)
    if (!world.judge(emptied)) return false
    world.take(other, emptied)
    return true
  }
  const violating = lesser.filter(other => isProtected.has(other)).filter(goes)
  const others = lesser.filter(other => !isProtected.has(other)).filter(goes)
  const pods = [...violating, ...others].sort((a, b) => compareImportance(a, b, now))
  return { victims: { node: node.name, pods, violations: violating.length } }
}

/** Higher priority, then longer running, is more important. Upstream: util.MoreImportantPod. */
export function compareImportance(a: Pod, b: Pod, now: number): number {
  return priorityOf(b) - priorityOf(a) || startOf(a, now) - startOf(b, now)
}

/** Epoch milliseconds; one that the kubelet has not started starts now. */
export const startOf = ({ status }: Pod, now: number): number =>
  status.startTime ? Date.parse(status.startTime) : now
