import { MAX_SCORE, type Plugin } from '../framework.ts'
import { type Amounts, requestsOf } from '../state/amounts.ts'

/**
 * Prefers nodes where cpu and memory would be used to a similar share; a Pod without requests has no say.
 * Upstream: noderesources/balanced_allocation.go.
 */
export const nodeResourcesBalancedAllocation: Plugin<unknown, Amounts> = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  prepareScore(pod) {
    const wanted = requestsOf(pod)
    return wanted.milliCpu === 0 && wanted.memory === 0 ? 'skip' : { state: wanted }
  },
  score(_pod, { requested, allocatable }, wanted) {
    const cpu = share(requested.milliCpu + wanted.milliCpu, allocatable.milliCpu)
    const memory = share(requested.memory + wanted.memory, allocatable.memory)
    if (cpu === undefined || memory === undefined) return MAX_SCORE
    // With two fractions the standard deviation is half their distance.
    return Math.floor((1 - Math.abs(cpu - memory) / 2) * MAX_SCORE)
  },
}

/** Undefined for a resource that the node does not have: it is left out. */
const share = (used: number, total: number) => (total === 0 ? undefined : Math.min(1, used / total))
