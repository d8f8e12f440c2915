// /metrics/cadvisor: the figures of containers, pods and the node under cadvisor's names, those that dashboards use.
import type { Metric, Sample } from './prometheus-text.ts'
import type { CpuFigures, DiskFigures, InterfaceFigures, MemoryFigures, Summary } from './summary.ts'

interface Subject {
  /** cadvisor labels everything alike; what does not apply is empty. */
  labels: { container: string; namespace: string; pod: string }
  cpu?: CpuFigures
  memory?: MemoryFigures
  rootfs?: DiskFigures
  startTime: string
}

interface NetworkSubject {
  labels: { interface: string; namespace: string; pod: string }
  figures: InterfaceFigures
  at: string
}

export function cadvisorMetrics(summary: Summary): Metric[] {
  const subjects = subjectsOf(summary)
  const networks = networksOf(summary)
  const metric = (
    name: string,
    help: string,
    type: Metric['type'],
    read: (subject: Subject) => [value: number | undefined, time: string | undefined],
  ): Metric => ({ name, help, type, samples: subjects.flatMap(one => sample(one.labels, ...read(one))) })
  const network = (
    name: string,
    help: string,
    key: 'rxBytes' | 'rxErrors' | 'txBytes' | 'txErrors',
  ): Metric => ({
    name,
    help,
    type: 'counter',
    samples: networks.flatMap(({ labels, figures, at }) => sample(labels, figures[key], at)),
  })
  const seconds = (nanoseconds: number | undefined) =>
    nanoseconds === undefined ? undefined : nanoseconds / 1e9
  return [
    metric(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed in seconds.',
      'counter',
      ({ cpu }) => [seconds(cpu?.usageCoreNanoSeconds), cpu?.time],
    ),
    metric(
      'container_memory_usage_bytes',
      'Current memory usage in bytes, including all memory regardless of when it was accessed',
      'gauge',
      ({ memory }) => [memory?.usageBytes, memory?.time],
    ),
    metric('container_memory_working_set_bytes', 'Current working set in bytes.', 'gauge', ({ memory }) => [
      memory?.workingSetBytes,
      memory?.time,
    ]),
    metric('container_memory_rss', 'Size of RSS in bytes.', 'gauge', ({ memory }) => [
      memory?.rssBytes,
      memory?.time,
    ]),
    metric(
      'container_fs_usage_bytes',
      'Number of bytes that are consumed by the container on this filesystem.',
      'gauge',
      ({ rootfs }) => [rootfs?.usedBytes, rootfs?.time],
    ),
    metric(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds.',
      'gauge',
      ({ startTime }) => [startTime ? Date.parse(startTime) / 1000 : undefined, undefined],
    ),
    network('container_network_receive_bytes_total', 'Cumulative count of bytes received', 'rxBytes'),
    network(
      'container_network_receive_errors_total',
      'Cumulative count of errors encountered while receiving',
      'rxErrors',
    ),
    network('container_network_transmit_bytes_total', 'Cumulative count of bytes transmitted', 'txBytes'),
    network(
      'container_network_transmit_errors_total',
      'Cumulative count of errors encountered while transmitting',
      'txErrors',
    ),
  ]
}

function subjectsOf({ node, pods }: Summary): Subject[] {
  const whole: Subject = { ...node, labels: { container: '', namespace: '', pod: '' } }
  const others = pods.flatMap((pod): Subject[] => {
    const { namespace, name } = pod.podRef
    const containers = pod.containers.map(one => ({
      ...one,
      labels: { container: one.name, namespace, pod: name },
    }))
    return [{ ...pod, labels: { container: '', namespace, pod: name } }, ...containers]
  })
  return [whole, ...others]
}

function networksOf({ node, pods }: Summary): NetworkSubject[] {
  const all = [
    { network: node.network, namespace: '', pod: '' },
    ...pods.map(({ network, podRef }) => ({ network, namespace: podRef.namespace, pod: podRef.name })),
  ]
  return all.flatMap(({ network, namespace, pod }) =>
    (network?.interfaces ?? []).map(figures => ({
      labels: { interface: figures.name, namespace, pod },
      figures,
      at: network!.time,
    })),
  )
}

function sample(
  labels: Record<string, string>,
  value: number | undefined,
  time: string | undefined,
): Sample[] {
  return value === undefined ? [] : [{ labels, value, ...(time && { at: Date.parse(time) }) }]
}
