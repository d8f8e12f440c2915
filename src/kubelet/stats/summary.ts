// The kubelet's /stats/summary as a value. Pure. Upstream: k8s.io/kubelet stats/v1alpha1 types.go,
// stats/cri_stats_provider.go. Fields that the runtime does not tell are left out.
import type { Pod } from '../../api/types/core-v1.ts'
import type {
  ContainerStats,
  CpuUsage,
  MemoryUsage,
  NetworkInterfaceUsage,
  NetworkUsage,
  PodSandboxStats,
  SwapUsage,
} from '../../runtime/cri/cri.generated.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'

export interface CpuFigures {
  /** RFC 3339. */
  time: string
  usageNanoCores?: number
  usageCoreNanoSeconds?: number
}

export interface MemoryFigures {
  time: string
  availableBytes?: number
  usageBytes?: number
  workingSetBytes?: number
  rssBytes?: number
  pageFaults?: number
  majorPageFaults?: number
}

export interface SwapFigures {
  time: string
  swapAvailableBytes?: number
  swapUsageBytes?: number
}

export interface DiskFigures {
  time: string
  availableBytes?: number
  capacityBytes?: number
  usedBytes?: number
  inodesFree?: number
  inodes?: number
  inodesUsed?: number
}

export interface InterfaceFigures {
  name: string
  rxBytes?: number
  rxErrors?: number
  txBytes?: number
  txErrors?: number
}

export interface NetworkFigures extends InterfaceFigures {
  time: string
  interfaces: InterfaceFigures[]
}

export interface ContainerFigures {
  name: string
  startTime: string
  cpu?: CpuFigures
  memory?: MemoryFigures
  swap?: SwapFigures
  rootfs?: DiskFigures
  logs?: DiskFigures
}

export interface VolumeFigures extends DiskFigures {
  name: string
  /** Of a volume that a claim asked for. */
  pvcRef?: { name: string; namespace: string }
}

export interface PodFigures {
  podRef: { name: string; namespace: string; uid: string }
  startTime: string
  containers: ContainerFigures[]
  cpu?: CpuFigures
  memory?: MemoryFigures
  swap?: SwapFigures
  network?: NetworkFigures
  volume?: VolumeFigures[]
  'ephemeral-storage'?: DiskFigures
  process_stats?: { process_count: number }
}

export interface NodeFigures {
  nodeName: string
  startTime: string
  cpu: CpuFigures
  memory: MemoryFigures
  swap?: SwapFigures
  network?: NetworkFigures
  fs: DiskFigures
  runtime: { imageFs: DiskFigures; containerFs: DiskFigures }
  rlimit: { time: string; maxpid: number; curproc: number }
}

export interface Summary {
  node: NodeFigures
  pods: PodFigures[]
}

/** What is measured apart from the runtime's figures. */
export interface PodDisks {
  /** By container name. */
  logs: ReadonlyMap<string, DiskFigures>
  volumes: readonly VolumeFigures[]
}

const NANOSECONDS = 1_000_000

const timeOf = (nanoseconds: number) =>
  new Date(nanoseconds / NANOSECONDS).toISOString().replace(/\.\d+Z$/, 'Z')

/** `containers` are the pod's running ones, `sandbox` its sandbox where the runtime measures it as a whole. */
export function podFigures(
  pod: Pod,
  containers: readonly ContainerStats[],
  sandbox: PodSandboxStats | undefined,
  disks: PodDisks,
  nodeDisk: DiskFigures,
): PodFigures {
  const { name, namespace = '', uid } = pod.metadata
  const figures = containers.map(stats => containerFigures(pod, stats, disks, nodeDisk))
  const { cpu, memory, network, process } = sandbox?.linux ?? {}
  const processes = process?.processCount?.value
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status.startTime ?? '',
    containers: figures,
    cpu: cpu ? cpuFigures(cpu) : sumCpu(figures),
    memory: memory ? memoryFigures(memory) : sumMemory(figures),
    ...sumSwap(figures),
    ...(network && { network: networkFigures(network) }),
    volume: [...disks.volumes],
    'ephemeral-storage': ephemeralStorage(figures, disks, nodeDisk),
    ...(processes !== undefined && { process_stats: { process_count: processes } }),
  }
}

function containerFigures(
  pod: Pod,
  { attributes, cpu, memory, swap, writableLayer }: ContainerStats,
  { logs }: PodDisks,
  nodeDisk: DiskFigures,
): ContainerFigures {
  const name = attributes.labels[LABEL.containerName] ?? attributes.metadata.name
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]
  const startedAt = statuses.find(status => status.name === name)?.state?.running?.startedAt
  const own = logs.get(name)
  return {
    name,
    startTime: startedAt ?? pod.status.startTime ?? '',
    ...(cpu && { cpu: cpuFigures(cpu) }),
    ...(memory && { memory: memoryFigures(memory) }),
    ...(swap && { swap: swapFigures(swap) }),
    ...(writableLayer && {
      rootfs: {
        ...nodeDisk,
        time: timeOf(writableLayer.timestamp),
        ...defined({
          usedBytes: writableLayer.usedBytes?.value,
          inodesUsed: writableLayer.inodesUsed?.value,
        }),
      },
    }),
    ...(own && { logs: { ...nodeDisk, ...own } }),
  }
}

function cpuFigures({ timestamp, usageNanoCores, usageCoreNanoSeconds }: CpuUsage): CpuFigures {
  return {
    time: timeOf(timestamp),
    ...defined({
      usageNanoCores: usageNanoCores?.value,
      usageCoreNanoSeconds: usageCoreNanoSeconds?.value,
    }),
  }
}

function memoryFigures(usage: MemoryUsage): MemoryFigures {
  return {
    time: timeOf(usage.timestamp),
    ...defined({
      availableBytes: usage.availableBytes?.value,
      usageBytes: usage.usageBytes?.value,
      workingSetBytes: usage.workingSetBytes?.value,
      rssBytes: usage.rssBytes?.value,
      pageFaults: usage.pageFaults?.value,
      majorPageFaults: usage.majorPageFaults?.value,
    }),
  }
}

const swapFigures = (usage: SwapUsage): SwapFigures => ({
  time: timeOf(usage.timestamp),
  ...defined({
    swapAvailableBytes: usage.swapAvailableBytes?.value,
    swapUsageBytes: usage.swapUsageBytes?.value,
  }),
})

/** The runtime tells it of containers only. */
function sumSwap(containers: readonly ContainerFigures[]): { swap?: SwapFigures } {
  const all = containers.flatMap(({ swap }) => (swap ? [swap] : []))
  return all.length === 0 ? {} : { swap: { time: latest(all), ...sums(all, ['swapUsageBytes']) } }
}

function networkFigures({ timestamp, defaultInterface, interfaces }: NetworkUsage): NetworkFigures {
  const all = [...(defaultInterface ? [defaultInterface] : []), ...interfaces].map(interfaceFigures)
  return { time: timeOf(timestamp), ...(all[0] ?? { name: '' }), interfaces: all }
}

const interfaceFigures = (usage: NetworkInterfaceUsage): InterfaceFigures => ({
  name: usage.name,
  ...defined({
    rxBytes: usage.rxBytes?.value,
    rxErrors: usage.rxErrors?.value,
    txBytes: usage.txBytes?.value,
    txErrors: usage.txErrors?.value,
  }),
})

function sumCpu(containers: readonly ContainerFigures[]): CpuFigures {
  const all = containers.flatMap(({ cpu }) => (cpu ? [cpu] : []))
  return { time: latest(all), ...sums(all, ['usageNanoCores', 'usageCoreNanoSeconds']) }
}

function sumMemory(containers: readonly ContainerFigures[]): MemoryFigures {
  const all = containers.flatMap(({ memory }) => (memory ? [memory] : []))
  const keys = ['usageBytes', 'workingSetBytes', 'rssBytes', 'pageFaults', 'majorPageFaults'] as const
  return { time: latest(all), ...sums(all, keys) }
}

function ephemeralStorage(
  containers: readonly ContainerFigures[],
  { volumes }: PodDisks,
  nodeDisk: DiskFigures,
): DiskFigures {
  // What a claim holds outlives the pod.
  const own = volumes.filter(({ pvcRef }) => pvcRef === undefined)
  const disks = [...containers.flatMap(({ rootfs, logs }) => [rootfs, logs]), ...own].filter(
    disk => disk !== undefined,
  )
  const total = sums(disks, ['usedBytes', 'inodesUsed'])
  return { ...nodeDisk, usedBytes: 0, inodesUsed: 0, ...total }
}

const latest = (all: readonly { time: string }[]): string =>
  all
    .map(({ time }) => time)
    .sort()
    .at(-1) ?? '1970-01-01T00:00:00Z'

function sums<K extends string>(all: readonly { [key in K]?: number }[], keys: readonly K[]) {
  const entries = keys.flatMap(key => {
    const known = all.flatMap(one => one[key] ?? [])
    return known.length > 0 ? [[key, known.reduce((sum, value) => sum + value, 0)]] : []
  })
  return Object.fromEntries(entries) as { [key in K]?: number }
}

function defined<T extends Record<string, number | undefined>>(values: T): { [K in keyof T]?: number } {
  const known = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known) as { [K in keyof T]?: number }
}
