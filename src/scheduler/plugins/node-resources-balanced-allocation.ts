import { nonZeroRequestsOf } from '../amounts.ts'
import { MAX_SCORE, type Plugin } from '../framework.ts'

/** Prefers nodes where cpu and memory would be used to a similar share. Upstream: noderesources/balanced_allocation.go. */
export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  score(pod, { nonZero, allocatable }) {
    const wanted = nonZeroRequestsOf(pod)
    const cpu = Math.min(1, (nonZero.milliCpu + wanted.milliCpu) / Math.max(1, allocatable.milliCpu))
    const memory = Math.min(1, (nonZero.memory + wanted.memory) / Math.max(1, allocatable.memory))
    // With two fractions the standard deviation is half their distance.
    return Math.floor((1 - Math.abs(cpu - memory) / 2) * MAX_SCORE)
  },
}
