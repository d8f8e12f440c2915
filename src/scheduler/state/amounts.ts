// Effective requests as plain numbers, computed once per Pod object: the scheduler adds them up all the time.
import { aggregate, parseAmounts, podRequests } from '../../api/pod/resources.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { withHeldResources } from './held-resources.ts'

export interface Amounts {
  milliCpu: number
  /** Bytes. */
  memory: number
  /** Bytes. */
  ephemeralStorage: number
  /** Extended resources and huge pages. */
  scalars: Map<string, number>
}

/** Taken for a container that asks for nothing, so that Pods without requests spread too. Upstream: util/pod_resources.go. */
const DEFAULT_MILLI_CPU = 100
const DEFAULT_MEMORY = 200 * 1024 * 1024

const requests = new WeakMap<Pod, Amounts>()
const nonZero = new WeakMap<Pod, { milliCpu: number; memory: number }>()

export function requestsOf(pod: Pod): Amounts {
  return remember(requests, pod, () => toAmounts(podRequests(withHeldResources(pod))))
}

export function nonZeroRequestsOf(pod: Pod): { milliCpu: number; memory: number } {
  return remember(nonZero, pod, () => {
    const withDefaults = aggregate(withHeldResources(pod).spec, container => {
      const amounts = parseAmounts(container.resources?.requests)
      if (!amounts.has('cpu')) amounts.set('cpu', Quantity.fromMilli(DEFAULT_MILLI_CPU))
      if (!amounts.has('memory')) amounts.set('memory', Quantity.fromValue(DEFAULT_MEMORY))
      return amounts
    })
    const { milliCpu, memory } = toAmounts(withDefaults)
    const own = requestsOf(pod)
    return { milliCpu: Math.max(milliCpu, own.milliCpu), memory: Math.max(memory, own.memory) }
  })
}

export function allocatableOf(node: Node): Amounts & { pods: number } {
  const amounts = parseAmounts(node.status.allocatable)
  return { ...toAmounts(amounts), pods: amounts.get('pods')?.value() ?? 0 }
}

function toAmounts(amounts: ReadonlyMap<string, Quantity>): Amounts {
  const result: Amounts = { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() }
  for (const [name, amount] of amounts) {
    if (name === 'cpu') result.milliCpu = amount.milliValue()
    else if (name === 'memory') result.memory = amount.value()
    else if (name === 'ephemeral-storage') result.ephemeralStorage = amount.value()
    else if (name !== 'pods' && name !== 'storage') result.scalars.set(name, amount.value())
  }
  return result
}

function remember<K extends object, V>(cache: WeakMap<K, V>, key: K, compute: () => V): V {
  let value = cache.get(key)
  if (value === undefined) {
    value = compute()
    cache.set(key, value)
  }
  return value
}
