// What the kubelet counts about itself: /metrics. Upstream: pkg/kubelet/metrics, as far as it is a state of now.
import type { ContainerState, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { Metric } from '../stats/prometheus-text.ts'

const STATES: Readonly<Partial<Record<ContainerState, string>>> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
}

export async function kubeletMetrics(nodeName: string, runtime: RuntimeService): Promise<Metric[]> {
  const [{ items }, { containers }] = await Promise.all([
    runtime.listPodSandbox({ filter: { state: { state: 'SANDBOX_READY' } } }),
    runtime.listContainers({}),
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
