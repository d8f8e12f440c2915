// Gathers what summary.ts puts together: the runtime's figures, the machine's, and what pods keep on disk (counted at
// most once a minute, as upstream does).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pod, Volume } from '../../api/types/core-v1.ts'
import type { PassiveClock } from '../../base/clock.ts'
import { diskFigures } from '../../base/disk-usage.ts'
import type { ContainerStats, PodSandboxStats, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import {
  type CgroupDetails,
  cgroupDetails,
  cgroupProcesses,
} from '../../runtime/native/stats/cgroup-details.ts'
import { type CpuSample, cpuRate } from '../../runtime/native/stats/cpu-rate.ts'
import { type InterfaceCounters, interfaceCounters } from '../../runtime/native/stats/network-interfaces.ts'
import type { NodeFacts } from '../node-facts.ts'
import { podLogDir, volumePath } from '../pod-paths.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import { ContainerRates } from './container-rates.ts'
import {
  diskOf,
  machineCpuNanoseconds,
  machineFaults,
  machineMemory,
  machineNetwork,
  machineSwap,
  processLimits,
} from './node-figures.ts'
import { type DiskFigures, type PodDisks, podFigures, type Summary } from './summary.ts'

const COUNT_EVERY_MS = 60_000

export interface StatsParts {
  runtime: Pick<RuntimeService, 'listContainerStats' | 'listPodSandboxStats'>
  facts: Pick<NodeFacts, 'nodeName' | 'rootDir' | 'logDir'>
  clock: PassiveClock
  /** Pods that have not ended. */
  pods: () => readonly Pod[]
  /** The pod's cgroup, '' where it has none. */
  cgroupOf?: (pod: Pod) => string
  /** Where the files of a claim's or a driver's volume are. */
  claimedPath?: (uid: string, volume: string) => string | undefined
  /** What a volume's driver says of it; undefined for all others. */
  driverFigures?: (uid: string, volume: string) => Promise<Partial<DiskFigures> | undefined>
}

/** A container or a whole pod, as cadvisor names it, and what the kernel tells of its cgroup. */
export interface CgroupSubject {
  pod: Pod
  /** Undefined for the pod itself. */
  container?: { name: string; id: string }
  path: string
  details: CgroupDetails
  /** Of the pod's own network; none where it has the node's. */
  interfaces: InterfaceCounters[]
}

export class StatsCollector {
  readonly #parts: StatsParts
  readonly #startedAt: number
  readonly #rates = new ContainerRates()
  readonly #disks = new Map<string, { at: number; disks: Promise<PodDisks> }>()
  /** Processor time that was used before. */
  readonly #before = machineCpuNanoseconds()
  #samples: CpuSample[] = []

  constructor(parts: StatsParts) {
    this.#parts = parts
    this.#startedAt = parts.clock.now()
  }

  async summary(): Promise<Summary> {
    const { clock, facts, pods } = this.#parts
    const time = apiSeconds(clock.now())
    const fs = diskOf(facts.rootDir, time)
    const active = pods()
    const [told, sandboxes] = await Promise.all([this.#containers(), this.#sandboxes()])
    const containers = this.#rates.complete(told, active)
    this.#forgetOthers(active)
    const figures = active.map(async pod => {
      const { uid } = pod.metadata
      const own = containers.filter(({ attributes }) => attributes.labels[LABEL.podUid] === uid)
      const sandbox = sandboxes.find(({ attributes }) => attributes.metadata.uid === uid)
      return podFigures(pod, own, sandbox, await this.#podDisks(pod), fs)
    })
    return { node: this.#node(time, fs), pods: await Promise.all(figures) }
  }

  /** What the kernel tells of the pods' cgroups, for those that ask for more than the summary has. */
  async cgroups(): Promise<CgroupSubject[]> {
    const { pods, cgroupOf } = this.#parts
    const containers = await this.#containers()
    return pods().flatMap(pod => {
      const path = cgroupOf?.(pod) ?? ''
      const details = path ? cgroupDetails(path) : undefined
      if (!details) return []
      const own = containers.filter(({ attributes }) => attributes.labels[LABEL.podUid] === pod.metadata.uid)
      const inside = own.flatMap(({ attributes: { id, labels } }): CgroupSubject[] => {
        const found = cgroupDetails(join(path, id))
        const container = { name: labels[LABEL.containerName] ?? '', id }
        return found ? [{ pod, container, path: join(path, id), details: found, interfaces: [] }] : []
      })
      return [{ pod, path, details, interfaces: this.#interfaces(pod, path, own) }, ...inside]
    })
  }

  /** As one of the pod's processes sees them. */
  #interfaces(pod: Pod, path: string, containers: readonly ContainerStats[]): InterfaceCounters[] {
    if (pod.spec.hostNetwork) return []
    for (const { attributes } of containers) {
      const [pid] = cgroupProcesses(join(path, attributes.id))
      const text = pid && readIfThere(`/proc/${pid}/net/dev`)
      if (text) return interfaceCounters(text).filter(({ name }) => name !== 'lo')
    }
    return []
  }

  /** Some runtimes list those that have ended, without figures. */
  async #containers(): Promise<ContainerStats[]> {
    const { stats } = await this.#parts.runtime.listContainerStats({})
    return stats.filter(({ cpu, memory }) => cpu || memory)
  }

  /** Older runtimes measure no sandboxes: the pod is then the sum of its containers. */
  async #sandboxes(): Promise<PodSandboxStats[]> {
    return this.#parts.runtime.listPodSandboxStats({}).then(
      ({ stats }) => stats,
      () => [],
    )
  }

  #node(time: string, fs: DiskFigures): Summary['node'] {
    const total = machineCpuNanoseconds()
    const now = { at: this.#parts.clock.now() * 1e6, total: total - this.#before }
    const { samples, rate } = cpuRate(this.#samples, now, this.#startedAt * 1e6)
    this.#samples = samples
    return {
      nodeName: this.#parts.facts.nodeName,
      startTime: apiSeconds(this.#startedAt),
      cpu: { time, ...(rate !== undefined && { usageNanoCores: rate }), usageCoreNanoSeconds: total },
      memory: { ...machineMemory(time), ...machineFaults() },
      swap: machineSwap(time),
      network: machineNetwork(time),
      fs,
      runtime: { imageFs: fs, containerFs: fs },
      rlimit: processLimits(time),
    }
  }

  #podDisks(pod: Pod): Promise<PodDisks> {
    const { uid } = pod.metadata
    const now = this.#parts.clock.now()
    const known = this.#disks.get(uid)
    if (known && now - known.at < COUNT_EVERY_MS) return known.disks
    const disks = this.#count(pod, apiSeconds(now))
    this.#disks.set(uid, { at: now, disks })
    return disks
  }

  async #count(pod: Pod, time: string): Promise<PodDisks> {
    const { facts } = this.#parts
    const names = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name)
    const measure = async (name: string, dir: string) => {
      const { bytes, inodes } = await diskFigures(dir)
      return { name, time, usedBytes: bytes, inodesUsed: inodes }
    }
    const logs = names.map(name => measure(name, join(podLogDir(facts, pod), name)))
    const volumes = (pod.spec.volumes ?? []).flatMap(volume => {
      const dir = this.#placeOf(pod, volume)
      if (dir === undefined) return []
      const claim = claimNameOf(pod, volume)
      const pvcRef = claim && { pvcRef: { name: claim, namespace: pod.metadata.namespace ?? '' } }
      return [this.#volumeFigures(pod, volume.name, dir, time).then(own => ({ ...own, ...pvcRef }))]
    })
    const counted = (await Promise.all(logs)).map(({ name, ...figures }) => [name, figures] as const)
    return { logs: new Map(counted), volumes: await Promise.all(volumes) }
  }

  /** Its driver knows best; otherwise its files are counted. */
  async #volumeFigures({ metadata: { uid } }: Pod, name: string, dir: string, time: string) {
    const told = await this.#parts.driverFigures?.(uid, name).catch(() => undefined)
    if (told) return { name, time, ...told }
    const { bytes, inodes } = await diskFigures(dir)
    return { name, time, ...roomOf(dir, time), usedBytes: bytes, inodesUsed: inodes }
  }

  #placeOf({ metadata: { uid } }: Pod, volume: Volume): string | undefined {
    if (volume.persistentVolumeClaim || volume.ephemeral || volume.csi)
      return this.#parts.claimedPath?.(uid, volume.name)
    const plugin = PLUGINS.find(([kind]) => volume[kind] !== undefined)?.[1]
    return plugin && volumePath(this.#parts.facts, uid, plugin, volume.name)
  }

  #forgetOthers(active: readonly Pod[]): void {
    const uids = new Set(active.map(({ metadata }) => metadata.uid))
    for (const uid of this.#disks.keys()) if (!uids.has(uid)) this.#disks.delete(uid)
  }
}

/** Volumes on the node's own disk, and the names of their directories. */
const PLUGINS = [
  ['emptyDir', 'empty-dir'],
  ['configMap', 'configmap'],
  ['secret', 'secret'],
  ['downwardAPI', 'downward-api'],
  ['projected', 'projected'],
] as const

/** What the file system of a directory has left; nothing where it is not there yet. */
function roomOf(dir: string, time: string): Partial<DiskFigures> {
  try {
    const { availableBytes, capacityBytes, inodes, inodesFree } = diskOf(dir, time)
    return {
      ...(availableBytes !== undefined && { availableBytes }),
      ...(capacityBytes !== undefined && { capacityBytes }),
      ...(inodes !== undefined && { inodes }),
      ...(inodesFree !== undefined && { inodesFree }),
    }
  } catch {
    return {}
  }
}

function claimNameOf(
  { metadata }: Pod,
  { name, persistentVolumeClaim, ephemeral }: Volume,
): string | undefined {
  return persistentVolumeClaim?.claimName ?? (ephemeral && `${metadata.name}-${name}`)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

const apiSeconds = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
