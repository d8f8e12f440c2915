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

/** `known` are the cgroups whose paths and images can be told. */
export function cadvisorMetrics(summary: Summary, known: readonly CgroupSubject[] = []): Metric[] {
  const labels = labelling(known)
  const subjects = subjectsOf(summary, labels)
  const networks = networksOf(summary, labels)
  const metric = (
    name: string,
    help: string,
    type: Metric['type'],
    read: (subject: Subject) => [value: number | undefined, time: string | undefined],
    more: Record<string, string> = {},
  ): Metric => ({
    name,
    help,
    type,
    samples: subjects.flatMap(one => sample({ ...one.labels, ...more }, ...read(one))),
  })
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
      { cpu: 'total' },
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
    metric(
      'container_fs_limit_bytes',
      'Number of bytes that can be consumed by the container on this filesystem.',
      'gauge',
      ({ rootfs }) => [rootfs?.capacityBytes, rootfs?.time],
    ),
    metric('container_fs_inodes_free', 'Number of available Inodes', 'gauge', ({ rootfs }) => [
      rootfs?.inodesFree,
      rootfs?.time,
    ]),
    metric('container_fs_inodes_total', 'Number of Inodes', 'gauge', ({ rootfs }) => [
      rootfs?.inodes,
      rootfs?.time,
    ]),
    metric('container_last_seen', 'Last time a container was seen by the exporter', 'gauge', ({ cpu }) => [
      cpu && Date.parse(cpu.time) / 1000,
      cpu?.time,
    ]),
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
