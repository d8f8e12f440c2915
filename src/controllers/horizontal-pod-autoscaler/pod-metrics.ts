// Figures of pods, as the resource and custom metrics APIs tell them. Pure.
// Upstream: pkg/controller/podautoscaler/metrics/client.go.
import { parseGoDuration } from '../../api/duration.ts'
import { Quantity } from '../../api/quantity.ts'
import { parseTime } from '../../api/time.ts'

export interface PodMetric {
  /** In thousandths. */
  value: number
  /** When the window ended, in epoch milliseconds. */
  at: number
  windowMs: number
}

/** By the pod's name; all of one namespace. */
export type PodMetrics = ReadonlyMap<string, PodMetric>

/** metrics.k8s.io/v1beta1 PodMetrics. */
export interface ResourceMetrics {
  metadata: { name: string; namespace?: string }
  timestamp: string
  window: string
  containers: { name: string; usage: Record<string, string> }[]
}

/** One value of custom.metrics.k8s.io. */
export interface ObjectMetric {
  describedObject: { name: string }
  timestamp: string
  windowSeconds?: number
  value: string
}

/** Of a value that does not tell its window. */
const USUAL_WINDOW_SECONDS = 60

/** Sums the containers; a pod with a container that has no such figure is left out. Upstream: getPodMetrics. */
export function usageOfPods(items: readonly ResourceMetrics[], resource: string): PodMetrics {
  return collect(items, ({ containers }) => {
    const values = containers.map(({ usage }) => usage[resource])
    if (values.length === 0 || values.includes(undefined)) return undefined
    return values.reduce((sum, value) => sum + milli(value!), 0)
  })
}

/** Throws when a pod has no such container. Upstream: getContainerMetrics. */
export function usageOfContainers(
  items: readonly ResourceMetrics[],
  resource: string,
  container: string,
): PodMetrics {
  return collect(items, ({ metadata, containers }) => {
    const found = containers.find(({ name }) => name === container)
    if (!found) {
      const pod = `${metadata.namespace}/${metadata.name}`
      throw new Error(
        `failed to get container metrics: container ${container} not present in metrics for pod ${pod}`,
      )
    }
    const value = found.usage[resource]
    return value === undefined ? undefined : milli(value)
  })
}

export function valuesOfPods(items: readonly ObjectMetric[]): PodMetrics {
  return new Map(
    items.map(({ describedObject, timestamp, windowSeconds = USUAL_WINDOW_SECONDS, value }) => [
      describedObject.name,
      { value: milli(value), at: parseTime(timestamp) ?? 0, windowMs: windowSeconds * 1_000 },
    ]),
  )
}

export const milli = (quantity: string): number => Quantity.parse(quantity).milliValue()

function collect(
  items: readonly ResourceMetrics[],
  valueIn: (item: ResourceMetrics) => number | undefined,
): PodMetrics {
  const metrics = new Map<string, PodMetric>()
  for (const item of items) {
    const value = valueIn(item)
    if (value === undefined) continue
    const windowMs = parseGoDuration(item.window) ?? 0
    metrics.set(item.metadata.name, { value, at: parseTime(item.timestamp) ?? 0, windowMs })
  }
  return metrics
}
