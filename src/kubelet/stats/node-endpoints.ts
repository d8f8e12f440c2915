// What the kubelet answers to GET requests of its own: nodes/NAME/proxy/PATH and its port.
import type { Pod } from '../../api/types/core-v1.ts'
import type { KubeletInstruments } from '../metrics/kubelet-instruments.ts'
import { cadvisorMetrics } from './cadvisor-metrics.ts'
import { cgroupMetrics } from './cgroup-metrics.ts'
import { PROMETHEUS_TYPE, prometheusText } from './prometheus-text.ts'
import { resourceMetrics } from './resource-metrics.ts'
import type { StatsCollector } from './stats-collector.ts'

export interface NodeAnswer {
  contentType: string
  body: Buffer
}

export interface EndpointParts {
  stats: StatsCollector
  instruments: KubeletInstruments
  pods: () => readonly Pod[]
}

/** By path; undefined when there is nothing. */
export async function answerNodeRequest(
  path: string,
  { stats, pods, instruments }: EndpointParts,
): Promise<NodeAnswer | undefined> {
  switch (path.length > 1 ? path.replace(/\/$/, '') : path) {
    case '/healthz':
      return { contentType: 'text/plain; charset=utf-8', body: Buffer.from('ok') }
    case '/pods':
      return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods() })
    case '/stats/summary':
      return json(await stats.summary())
    case '/metrics/resource':
      return text(prometheusText(resourceMetrics(await stats.summary())))
    case '/metrics/probes':
      return text(prometheusText(instruments.probeMetrics()))
    case '/metrics/cadvisor':
      return text(await cadvisorText(stats))
    default:
      return undefined
  }
}

async function cadvisorText(stats: StatsCollector): Promise<string> {
  const [summary, subjects] = await Promise.all([stats.summary(), stats.cgroups()])
  return prometheusText([...cadvisorMetrics(summary, subjects), ...cgroupMetrics(subjects)])
}

const json = (value: object): NodeAnswer => ({
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(value, undefined, 1)),
})
const text = (body: string): NodeAnswer => ({ contentType: PROMETHEUS_TYPE, body: Buffer.from(body) })
