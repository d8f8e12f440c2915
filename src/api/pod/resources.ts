// What a Pod needs as a whole: init containers, sidecars, overhead and pod-level resources taken together.
// Upstream: component-helpers resource/helpers.go (PodRequests, PodLimits).
import { Quantity } from '../quantity.ts'
import type { Container, PodSpec } from '../types/core-v1.ts'
import { isSidecar } from './sidecar.ts'

/** Resource name → amount. */
export type ResourceAmounts = Map<string, Quantity>

/** Effective requests of the Pod. */
export function podRequests(pod: { spec: PodSpec }): ResourceAmounts {
  const amounts = aggregate(pod.spec, container => parseAmounts(container.resources?.requests))
  overridePodLevel(amounts, pod.spec.resources?.requests)
  for (const [name, amount] of parseAmounts(pod.spec.overhead)) addTo(amounts, name, amount)
  return amounts
}

/** Effective limits; overhead counts only where there is a limit. */
export function podLimits(pod: { spec: PodSpec }): ResourceAmounts {
  const amounts = aggregate(pod.spec, container => parseAmounts(container.resources?.limits))
  overridePodLevel(amounts, pod.spec.resources?.limits)
  for (const [name, amount] of parseAmounts(pod.spec.overhead)) {
    if (amounts.get(name)?.sign) addTo(amounts, name, amount)
  }
  return amounts
}

/**
 * The larger of what runs in the steady state (apps and sidecars) and of the highest point while initialising:
 * at each init container, what it needs on top of the sidecars started before it.
 */
export function aggregate(
  spec: PodSpec,
  amountsOf: (container: Container) => ResourceAmounts,
): ResourceAmounts {
  const total: ResourceAmounts = new Map()
  for (const container of spec.containers ?? [])
    for (const [name, amount] of amountsOf(container)) addTo(total, name, amount)
  const sidecars: ResourceAmounts = new Map()
  const peak: ResourceAmounts = new Map()
  for (const container of spec.initContainers ?? []) {
    const own = amountsOf(container)
    for (const name of new Set([...own.keys(), ...sidecars.keys()])) {
      raiseTo(peak, name, (own.get(name) ?? Quantity.zero).add(sidecars.get(name) ?? Quantity.zero))
    }
    if (!isSidecar(container)) continue
    for (const [name, amount] of own) {
      addTo(sidecars, name, amount)
      addTo(total, name, amount)
    }
  }
  for (const [name, amount] of peak) raiseTo(total, name, amount)
  return total
}

export function parseAmounts(list: Record<string, string> | undefined): ResourceAmounts {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, Quantity.parse(text)]))
}

/** Resources that a Pod may set for all its containers together. Upstream: IsSupportedPodLevelResource. */
export const isPodLevelResource = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

function overridePodLevel(amounts: ResourceAmounts, podLevel: Record<string, string> | undefined): void {
  for (const [name, amount] of parseAmounts(podLevel)) if (isPodLevelResource(name)) amounts.set(name, amount)
}

function addTo(amounts: ResourceAmounts, name: string, amount: Quantity): void {
  amounts.set(name, (amounts.get(name) ?? Quantity.zero).add(amount))
}

function raiseTo(amounts: ResourceAmounts, name: string, amount: Quantity): void {
  const present = amounts.get(name)
  if (!present || present.compare(amount) < 0) amounts.set(name, amount)
}
