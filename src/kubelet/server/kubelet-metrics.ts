// What the kubelet counts about itself: /metrics. Upstream: pkg/kubelet/metrics, as far as it is a state of now.
import type { ContainerState, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { KubeletInstruments } from '../metrics/kubelet-instruments.ts'
import type { Metric } from '../stats/prometheus-text.ts'
import type { StatsCollector } from '../stats/stats-collector.ts'
import type { PodFigures, VolumeFigures } from '../stats/summary.ts'

export interface MetricsParts {
  nodeName: string
  runtime: RuntimeService
  stats: StatsCollector
  instruments: KubeletInstruments
}

const STATES: Readonly<Partial<Record<ContainerState, string>>> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
}

export async function kubeletMetrics({
  nodeName,
  runtime,
  stats,
  instruments,
}: MetricsParts): Promise<Metric[]> {
  const [{ items }, { containers }, { pods }] = await Promise.all([
    runtime.listPodSandbox({ filter: { state: { state: 'SANDBOX_READY' } } }),
    runtime.listContainers({}),
    stats.summary(),
  ])
  const { user, system } = process.cpuUsage()
  const gauge = (name: string, help: string, samples: Metric['samples']): Metric => ({
    name,
    help,
    type: 'gauge',
    samples,
  })
  return [
    gauge('kubelet_node_name', "[ALPHA] The node's name. The count is always 1.", [
      { labels: { node: nodeName }, value: 1 },
    ]),
    gauge('kubelet_running_pods', '[ALPHA] Number of pods that have a running pod sandbox', [
      { labels: {}, value: items.length },
    ]),
    gauge(
      'kubelet_running_containers',
      '[ALPHA] Number of containers currently running',
      Object.entries(STATES).flatMap(([state, name]) => {
        const value = containers.filter(container => container.state === state).length
        return value > 0 ? [{ labels: { container_state: name }, value }] : []
      }),
    ),
    ...volumeMetrics(pods),
    ...instruments.workMetrics(),
    gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', [
      { labels: {}, value: process.memoryUsage.rss() },
    ]),
    {
      name: 'process_cpu_seconds_total',
      help: 'Total user and system CPU time spent in seconds.',
      type: 'counter',
      samples: [{ labels: {}, value: (user + system) / 1e6 }],
    },
  ]
}

const VOLUMES: readonly [name: string, help: string, read: (figures: VolumeFigures) => number | undefined][] =
  [
    [
      'kubelet_volume_stats_available_bytes',
      '[ALPHA] Number of available bytes in the volume',
      one => one.availableBytes,
    ],
    [
      'kubelet_volume_stats_capacity_bytes',
      '[ALPHA] Capacity in bytes of the volume',
      one => one.capacityBytes,
    ],
    ['kubelet_volume_stats_inodes', '[ALPHA] Maximum number of inodes in the volume', one => one.inodes],
    [
      'kubelet_volume_stats_inodes_free',
      '[ALPHA] Number of free inodes in the volume',
      one => one.inodesFree,
    ],
    [
      'kubelet_volume_stats_inodes_used',
      '[ALPHA] Number of used inodes in the volume',
      one => one.inodesUsed,
    ],
    ['kubelet_volume_stats_used_bytes', '[ALPHA] Number of used bytes in the volume', one => one.usedBytes],
  ]

/** One series for each claim, however many pods mount it. Upstream: pkg/kubelet/metrics/collectors/volume_stats.go. */
export function volumeMetrics(pods: readonly Pick<PodFigures, 'volume'>[]): Metric[] {
  const claimed = new Map<string, VolumeFigures>()
  for (const figures of pods.flatMap(({ volume = [] }) => volume))
    if (figures.pvcRef) claimed.set(`${figures.pvcRef.namespace}/${figures.pvcRef.name}`, figures)
  return VOLUMES.map(([name, help, read]) => ({
    name,
    help,
    type: 'gauge',
    samples: [...claimed.values()].flatMap(figures => {
      const { name: persistentvolumeclaim, namespace } = figures.pvcRef!
      const value = read(figures)
      return value === undefined ? [] : [{ labels: { namespace, persistentvolumeclaim }, value }]
    }),
  }))
}
