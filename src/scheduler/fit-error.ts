// The text of a FailedScheduling event: how many nodes were looked at and why each was turned away.
import type { Rejection } from './framework.ts'

export interface FitFailure {
  nodeCount: number
  /** Of the nodes that were looked at. */
  rejections: readonly Pick<Rejection, 'reasons'>[]
  /** Said of each node that was not looked at. */
  others?: string
  /** Said before any node was looked at. */
  early?: string
  /** What was tried to make room, and what came of it. */
  help?: string
}

/** Upstream: FitError.Error (pkg/scheduler/framework/types.go). */
export function fitErrorMessage({ nodeCount, rejections, others, early, help }: FitFailure): string {
  if (nodeCount === 0) return 'no nodes available to schedule pods'
  const rest = others ? Array(nodeCount - rejections.length).fill({ reasons: [others] }) : []
  const why = early ?? histogram([...rejections, ...rest])
  const text = `0/${nodeCount} nodes are available:${why && ` ${why}.`}`
  return help ? `${text} ${help}` : text
}

/** '1 Insufficient cpu, 2 node(s) were unschedulable', sorted as strings. */
export function histogram(rejections: readonly Pick<Rejection, 'reasons'>[]): string {
  const counts = new Map<string, number>()
  for (const { reasons } of rejections)
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ')
}
