import { type Amounts, nonZeroRequestsOf, requestsOf } from '../amounts.ts'
import { MAX_SCORE, type Plugin, type Rejection } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'

/** Enough free cpu, memory, storage, extended resources and Pod slots; prefers the emptier node. Upstream: noderesources/fit.go. */
export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  wakesOn: ['nodeAdded', 'nodeChanged', 'podGone', 'podChanged'],
  prepare: pod => ({ state: requestsOf(pod) }),
  filter: (_pod, node, wanted) => lacking(wanted as Amounts, node),
  score(pod, node) {
    const wanted = nonZeroRequestsOf(pod)
    return Math.floor(
      (leastAllocated(node.nonZero.milliCpu + wanted.milliCpu, node.allocatable.milliCpu) +
        leastAllocated(node.nonZero.memory + wanted.memory, node.allocatable.memory)) /
        2,
    )
  },
}

/** All that is short, as reasons; not resolvable when even the empty node would be too small. */
export function lacking(wanted: Amounts, { pods, requested, allocatable }: NodeInfo): Rejection | undefined {
  const reasons: string[] = []
  let resolvable = true
  if (pods.size + 1 > allocatable.pods) reasons.push('Too many pods')
  const check = (name: string, want: number, used: number, total: number) => {
    if (want === 0 || want <= total - used) return
    reasons.push(`Insufficient ${name}`)
    if (want > total) resolvable = false
  }
  check('cpu', wanted.milliCpu, requested.milliCpu, allocatable.milliCpu)
  check('memory', wanted.memory, requested.memory, allocatable.memory)
  check(
    'ephemeral-storage',
    wanted.ephemeralStorage,
    requested.ephemeralStorage,
    allocatable.ephemeralStorage,
  )
  for (const [name, want] of wanted.scalars) {
    check(name, want, requested.scalars.get(name) ?? 0, allocatable.scalars.get(name) ?? 0)
  }
  return reasons.length > 0 ? { reasons, resolvable } : undefined
}

function leastAllocated(requested: number, capacity: number): number {
  return capacity === 0 || requested > capacity
    ? 0
    : Math.floor(((capacity - requested) * MAX_SCORE) / capacity)
}
