// What /metrics/cadvisor tells of cgroups beyond the summary's figures, under cadvisor's names. Pure.
// Upstream: cadvisor metrics/prometheus.go.
import type { DeviceDetails } from '../../runtime/native/stats/cgroup-details.ts'
import type { InterfaceCounters } from '../../runtime/native/stats/network-interfaces.ts'
import type { Metric, Sample } from './prometheus-text.ts'
import type { CgroupSubject } from './stats-collector.ts'

type Labels = Record<string, string>
/** Values with the labels they have besides those of their subject. */
type Reading = readonly (readonly [value: number, more?: Labels])[]
type Row = [name: string, type: Metric['type'], help: string, read: (subject: CgroupSubject) => Reading]

const NANOSECONDS = 1e9

export function cgroupMetrics(subjects: readonly CgroupSubject[]): Metric[] {
  return ROWS.map(([name, type, help, read]) => ({
    name,
    type,
    help,
    samples: subjects.flatMap(subject =>
      read(subject).map(([value, more]): Sample => ({ labels: { ...labelsOf(subject), ...more }, value })),
    ),
  }))
}

/** cadvisor labels everything alike; what does not apply is empty. */
export function labelsOf({
  pod,
  container,
  path,
}: Pick<CgroupSubject, 'pod' | 'container' | 'path'>): Labels {
  const { name, namespace = '' } = pod.metadata
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status
  const status = [...initContainerStatuses, ...containerStatuses].find(one => one.name === container?.name)
  return {
    container: container?.name ?? '',
    id: path,
    image: container ? (status?.image ?? '') : '',
    name: container?.id ?? '',
    namespace,
    pod: name,
  }
}

const one = (value: number | undefined): Reading => (value === undefined ? [] : [[value]])

/** Of containers only, as cadvisor has it. */
const inContainer =
  (read: (subject: CgroupSubject) => Reading) =>
  (subject: CgroupSubject): Reading =>
    subject.container ? read(subject) : []

const perDevice =
  (read: (device: DeviceDetails) => number) =>
  ({ details }: CgroupSubject): Reading =>
    details.devices.map(device => [read(device), { device: `${device.major}:${device.minor}` }])

const perInterface =
  (read: (counters: InterfaceCounters) => number) =>
  ({ interfaces }: CgroupSubject): Reading =>
    interfaces.map(counters => [read(counters), { interface: counters.name }])

const ROWS: readonly Row[] = [
  [
    'container_cpu_user_seconds_total',
    'counter',
    'Cumulative user cpu time consumed in seconds.',
    ({ details }) => one(details.cpu && details.cpu.user / NANOSECONDS),
  ],
  [
    'container_cpu_system_seconds_total',
    'counter',
    'Cumulative system cpu time consumed in seconds.',
    ({ details }) => one(details.cpu && details.cpu.system / NANOSECONDS),
  ],
  [
    'container_cpu_cfs_periods_total',
    'counter',
    'Number of elapsed enforcement period intervals.',
    ({ details }) => (details.limits.cpuQuota > 0 ? one(details.throttling?.periods) : []),
  ],
  [
    'container_cpu_cfs_throttled_periods_total',
    'counter',
    'Number of throttled period intervals.',
    ({ details }) => (details.limits.cpuQuota > 0 ? one(details.throttling?.throttledPeriods) : []),
  ],
  [
    'container_cpu_cfs_throttled_seconds_total',
    'counter',
    'Total time duration the container has been throttled.',
    ({ details: { limits, throttling } }) =>
      limits.cpuQuota > 0 && throttling ? one(throttling.throttledNanoseconds / NANOSECONDS) : [],
  ],
  [
    'container_memory_cache',
    'gauge',
    'Number of bytes of page cache memory.',
    ({ details }) => one(details.memory?.cache),
  ],
  [
    'container_memory_mapped_file',
    'gauge',
    'Size of memory mapped files in bytes.',
    ({ details }) => one(details.memory?.mappedFile),
  ],
  [
    'container_memory_swap',
    'gauge',
    'Container swap usage in bytes.',
    ({ details }) => one(details.memory?.swap),
  ],
  [
    'container_memory_max_usage_bytes',
    'gauge',
    'Maximum memory usage recorded in bytes',
    ({ details }) => one(details.memory?.maximum),
  ],
  [
    'container_memory_failcnt',
    'counter',
    'Number of memory usage hits limits',
    ({ details }) => one(details.memory?.failures),
  ],
  [
    'container_memory_failures_total',
    'counter',
    'Cumulative count of memory allocation failures.',
    ({ details }) =>
      Object.entries(details.memory?.faults ?? {}).flatMap(([kind, count]) =>
        ['container', 'hierarchy'].map(scope => [count, { failure_type: kind, scope }] as const),
      ),
  ],
  [
    'container_oom_events_total',
    'counter',
    'Count of out of memory events observed for the container',
    ({ details }) => one(details.memory?.kills),
  ],
  [
    'container_blkio_device_usage_total',
    'counter',
    'Blkio Device bytes usage',
    ({ details }) =>
      details.devices.flatMap(({ major, minor, readBytes, writtenBytes }) =>
        Object.entries({ Read: readBytes, Write: writtenBytes }).map(
          ([operation, bytes]) => [bytes, { device: `${major}:${minor}`, major, minor, operation }] as const,
        ),
      ),
  ],
  ['container_fs_reads_total', 'counter', 'Cumulative count of reads completed', perDevice(one => one.reads)],
  [
    'container_fs_reads_bytes_total',
    'counter',
    'Cumulative count of bytes read',
    perDevice(one => one.readBytes),
  ],
  [
    'container_fs_writes_total',
    'counter',
    'Cumulative count of writes completed',
    perDevice(one => one.writes),
  ],
  [
    'container_fs_writes_bytes_total',
    'counter',
    'Cumulative count of bytes written',
    perDevice(one => one.writtenBytes),
  ],
  [
    'container_processes',
    'gauge',
    'Number of processes running inside the container.',
    ({ details }) => one(details.processes?.processes),
  ],
  [
    'container_threads',
    'gauge',
    'Number of threads running inside the container',
    ({ details }) => one(details.processes?.threads),
  ],
  [
    'container_threads_max',
    'gauge',
    'Maximum number of threads allowed inside the container, infinity if value is zero',
    ({ details }) => one(details.limits.processes),
  ],
  [
    'container_file_descriptors',
    'gauge',
    'Number of open file descriptors for the container.',
    ({ details }) => one(details.processes?.fileDescriptors),
  ],
  [
    'container_sockets',
    'gauge',
    'Number of open sockets for the container.',
    ({ details }) => one(details.processes?.sockets),
  ],
  [
    'container_ulimits_soft',
    'gauge',
    'Soft ulimit values for the container root process. Unlimited if -1, except priority and nice',
    inContainer(({ details: { processes } }) =>
      processes?.openFilesLimit === undefined
        ? []
        : [[processes.openFilesLimit, { ulimit: 'max_open_files' }]],
    ),
  ],
  [
    'container_spec_cpu_shares',
    'gauge',
    'CPU share of the container.',
    ({ details }) => one(details.limits.cpuShares),
  ],
  [
    'container_spec_cpu_period',
    'gauge',
    'CPU period of the container.',
    ({ details }) => one(details.limits.cpuPeriod),
  ],
  [
    'container_spec_cpu_quota',
    'gauge',
    'CPU quota of the container.',
    ({ details }) => (details.limits.cpuQuota > 0 ? one(details.limits.cpuQuota) : []),
  ],
  [
    'container_spec_memory_limit_bytes',
    'gauge',
    'Memory limit for the container.',
    ({ details }) => one(details.limits.memoryBytes),
  ],
  [
    'container_spec_memory_swap_limit_bytes',
    'gauge',
    'Memory swap limit for the container.',
    ({ details }) => one(details.limits.memorySwapBytes),
  ],
  [
    'container_spec_memory_reservation_limit_bytes',
    'gauge',
    'Memory reservation limit for the container.',
    () => one(0),
  ],
  [
    'container_network_receive_packets_total',
    'counter',
    'Cumulative count of packets received',
    perInterface(({ received }) => received.packets),
  ],
  [
    'container_network_receive_packets_dropped_total',
    'counter',
    'Cumulative count of packets dropped while receiving',
    perInterface(({ received }) => received.dropped),
  ],
  [
    'container_network_transmit_packets_total',
    'counter',
    'Cumulative count of packets transmitted',
    perInterface(({ sent }) => sent.packets),
  ],
  [
    'container_network_transmit_packets_dropped_total',
    'counter',
    'Cumulative count of packets dropped while transmitting',
    perInterface(({ sent }) => sent.dropped),
  ],
]
