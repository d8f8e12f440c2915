// /metrics/cadvisor: the figures of containers, pods and the node under cadvisor's names, those that dashboards use.
import { labelsOf } from './cgroup-metrics.ts'
import type { Metric, Sample } from './prometheus-text.ts'
import type { CgroupSubject } from './stats-collector.ts'
import type { CpuFigures, DiskFigures, InterfaceFigures, MemoryFigures, Summary } from './summary.ts'

interface Subject {
  /** cadvisor labels everything alike; what does not apply is empty. */
  labels: Record<string, string>
  cpu?: CpuFigures
  memory?: MemoryFigures
  rootfs?: DiskFigures
  startTime: string
}

interface NetworkSubject {
  labels: Record<string, string>
  figures: InterfaceFigures
  at: string
}

interface SubjectMetric {
  name: string
  help: string
  type: Metric['type']
  read: (subject: Subject) => [value: number | undefined, time: string | undefined]
  /** Labels of its own. */
  more?: Record<string, string>
}

interface NetworkMetric {
  name: string
  help: string
  key: 'rxBytes' | 'rxErrors' | 'txBytes' | 'txErrors'
}

const SUBJECT_METRICS: readonly SubjectMetric[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed in seconds.',
    type: 'counter',
    read: ({ cpu }) => [seconds(cpu?.usageCoreNanoSeconds), cpu?.time],
    more: { cpu: 'total' },
  },
  {
    name: 'container_memory_usage_bytes',
    help: 'Current memory usage in bytes, including all memory regardless of when it was accessed',
    type: 'gauge',
    read: ({ memory }) => [memory?.usageBytes, memory?.time],
  },
  {
    name: 'container_memory_working_set_bytes',
    help: 'Current working set in bytes.',
    type: 'gauge',
    read: ({ memory }) => [memory?.workingSetBytes, memory?.time],
  },
  {
    name: 'container_memory_rss',
    help: 'Size of RSS in bytes.',
    type: 'gauge',
    read: ({ memory }) => [memory?.rssBytes, memory?.time],
  },
  {
    name: 'container_fs_usage_bytes',
    help: 'Number of bytes that are consumed by the container on this filesystem.',
    type: 'gauge',
    read: ({ rootfs }) => [rootfs?.usedBytes, rootfs?.time],
  },
  {
    name: 'container_start_time_seconds',
    help: 'Start time of the container since unix epoch in seconds.',
    type: 'gauge',
    read: ({ startTime }) => [startTime ? Date.parse(startTime) / 1000 : undefined, undefined],
  },
  {
    name: 'container_fs_limit_bytes',
    help: 'Number of bytes that can be consumed by the container on this filesystem.',
    type: 'gauge',
    read: ({ rootfs }) => [rootfs?.capacityBytes, rootfs?.time],
  },
  {
    name: 'container_fs_inodes_free',
    help: 'Number of available Inodes',
    type: 'gauge',
    read: ({ rootfs }) => [rootfs?.inodesFree, rootfs?.time],
  },
  {
    name: 'container_fs_inodes_total',
    help: 'Number of Inodes',
    type: 'gauge',
    read: ({ rootfs }) => [rootfs?.inodes, rootfs?.time],
  },
  {
    name: 'container_last_seen',
    help: 'Last time a container was seen by the exporter',
    type: 'gauge',
    read: ({ cpu }) => [cpu && Date.parse(cpu.time) / 1000, cpu?.time],
  },
]

const NETWORK_METRICS: readonly NetworkMetric[] = [
  {
    name: 'container_network_receive_bytes_total',
    help: 'Cumulative count of bytes received',
    key: 'rxBytes',
  },
  {
    name: 'container_network_receive_errors_total',
    help: 'Cumulative count of errors encountered while receiving',
    key: 'rxErrors',
  },
  {
    name: 'container_network_transmit_bytes_total',
    help: 'Cumulative count of bytes transmitted',
    key: 'txBytes',
  },
  {
    name: 'container_network_transmit_errors_total',
    help: 'Cumulative count of errors encountered while transmitting',
    key: 'txErrors',
  },
]

const seconds = (nanoseconds: number | undefined) =>
  nanoseconds === undefined ? undefined : nanoseconds / 1e9

/** `known` are the cgroups whose paths and images can be told. */
export function cadvisorMetrics(summary: Summary, known: readonly CgroupSubject[] = []): Metric[] {
  const labels = labelling(known)
  const subjects = subjectsOf(summary, labels)
  const networks = networksOf(summary, labels)
  return [
    ...SUBJECT_METRICS.map(({ read, more, ...metric }) => ({
      ...metric,
      samples: subjects.flatMap(one => sample({ ...one.labels, ...more }, ...read(one))),
    })),
    ...NETWORK_METRICS.map(({ key, ...metric }) => ({
      ...metric,
      type: 'counter' as const,
      samples: networks.flatMap(({ labels, figures, at }) => sample(labels, figures[key], at)),
    })),
  ]
}

type Labelling = (uid: string, namespace: string, pod: string, container: string) => Record<string, string>

function labelling(known: readonly CgroupSubject[]): Labelling {
  const keyOf = (uid: string, container: string) => `${uid}/${container}`
  const labels = new Map(
    known.map(one => [keyOf(one.pod.metadata.uid, one.container?.name ?? ''), labelsOf(one)]),
  )
  return (uid, namespace, pod, container) =>
    labels.get(keyOf(uid, container)) ?? { container, id: '', image: '', name: '', namespace, pod }
}

const NODE = { container: '', id: '/', image: '', name: '', namespace: '', pod: '' }

function subjectsOf({ node, pods }: Summary, labels: Labelling): Subject[] {
  const others = pods.flatMap((pod): Subject[] => {
    const { uid, namespace, name } = pod.podRef
    const containers = pod.containers.map(one => ({ ...one, labels: labels(uid, namespace, name, one.name) }))
    return [{ ...pod, labels: labels(uid, namespace, name, '') }, ...containers]
  })
  return [{ ...node, labels: NODE }, ...others]
}

function networksOf({ node, pods }: Summary, labels: Labelling): NetworkSubject[] {
  const all = [
    { network: node.network, labels: NODE },
    ...pods.map(({ network, podRef }) => ({
      network,
      labels: labels(podRef.uid, podRef.namespace, podRef.name, ''),
    })),
  ]
  return all.flatMap(({ network, labels: own }) =>
    (network?.interfaces ?? []).map(figures => ({
      labels: { ...own, interface: figures.name },
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
