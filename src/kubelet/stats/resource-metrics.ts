// /metrics/resource: what metrics-server reads. Upstream: pkg/kubelet/metrics/collectors/resource_metrics.go.
import type { Metric, Sample } from './prometheus-text.ts'
import type { ContainerFigures, PodFigures, Summary } from './summary.ts'

type Figures = Pick<ContainerFigures, 'cpu' | 'memory' | 'swap' | 'startTime'>

export function resourceMetrics({ node, pods }: Summary): Metric[] {
  const containers = pods.flatMap(pod =>
    pod.containers.map(figures => ({ figures, labels: containerLabels(pod, figures) })),
  )
  const wholePods = pods.map(figures => ({ figures, labels: podLabels(figures) }))
  const of = (
    list: { figures: Figures; labels: Record<string, string> }[],
    read: (figures: Figures) => Reading,
  ) => list.flatMap(({ figures, labels }) => sample(labels, read(figures)))
  const nodes = [{ figures: node, labels: {} }]
  return [
    counter(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the container in core-seconds',
      of(containers, cpuSeconds),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set of the container in bytes',
      of(containers, workingSet),
    ),
    gauge(
      'container_swap_usage_bytes',
      'Current amount of the container swap usage in bytes. Reported only on non-windows systems',
      of(containers, swapped),
    ),
    gauge(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds',
      of(containers, started),
    ),
    counter(
      'node_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the node in core-seconds',
      of(nodes, cpuSeconds),
    ),
    gauge('node_memory_working_set_bytes', 'Current working set of the node in bytes', of(nodes, workingSet)),
    gauge(
      'node_swap_usage_bytes',
      'Current swap usage of the node in bytes. Reported only on non-windows systems',
      of(nodes, swapped),
    ),
    counter(
      'pod_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the pod in core-seconds',
      of(wholePods, cpuSeconds),
    ),
    gauge(
      'pod_memory_working_set_bytes',
      'Current working set of the pod in bytes',
      of(wholePods, workingSet),
    ),
    gauge(
      'pod_swap_usage_bytes',
      'Current amount of the pod swap usage in bytes. Reported only on non-windows systems',
      of(wholePods, swapped),
    ),
    gauge('resource_scrape_error', '1 if there was an error while getting container metrics, 0 otherwise', [
      { labels: {}, value: 0 },
    ]),
  ]
}

type Reading = { value: number; time?: string } | undefined

const cpuSeconds = ({ cpu }: Figures): Reading =>
  cpu?.usageCoreNanoSeconds === undefined
    ? undefined
    : { value: cpu.usageCoreNanoSeconds / 1e9, time: cpu.time }

const workingSet = ({ memory }: Figures): Reading =>
  memory?.workingSetBytes === undefined ? undefined : { value: memory.workingSetBytes, time: memory.time }

const swapped = ({ swap }: Figures): Reading =>
  swap?.swapUsageBytes === undefined ? undefined : { value: swap.swapUsageBytes, time: swap.time }

const started = ({ startTime }: Figures): Reading =>
  startTime ? { value: Date.parse(startTime) / 1000 } : undefined

function sample(labels: Record<string, string>, reading: Reading): Sample[] {
  if (!reading) return []
  return [{ labels, value: reading.value, ...(reading.time && { at: Date.parse(reading.time) }) }]
}

const podLabels = ({ podRef }: PodFigures) => ({ namespace: podRef.namespace, pod: podRef.name })

const containerLabels = (pod: PodFigures, { name }: ContainerFigures) => ({
  container: name,
  ...podLabels(pod),
})

const counter = (name: string, help: string, samples: Sample[]): Metric => ({
  name,
  help,
  type: 'counter',
  samples,
})
const gauge = (name: string, help: string, samples: Sample[]): Metric => ({
  name,
  help,
  type: 'gauge',
  samples,
})
