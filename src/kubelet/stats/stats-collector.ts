// Gathers what summary.ts puts together: the runtime's figures, the machine's, and what pods keep on disk (counted at
// most once a minute, as upstream does).
import { join } from 'node:path'
import type { Pod } from '../../api/types/core-v1.ts'
import type { PassiveClock } from '../../base/clock.ts'
import { diskFigures } from '../../base/disk-usage.ts'
import type { ContainerStats, PodSandboxStats, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { type CpuSample, cpuRate } from '../../runtime/native/stats/cpu-rate.ts'
import type { NodeFacts } from '../node-facts.ts'
import { podLogDir, volumePath } from '../pod-paths.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import { ContainerRates } from './container-rates.ts'
import {
  diskOf,
  machineCpuNanoseconds,
  machineMemory,
  machineNetwork,
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
      memory: machineMemory(time),
      network: machineNetwork(time),
      fs,
      runtime: { imageFs: fs },
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
      const plugin = PLUGINS.find(([kind]) => volume[kind] !== undefined)?.[1]
      return plugin ? [measure(volume.name, volumePath(facts, pod.metadata.uid, plugin, volume.name))] : []
    })
    const counted = (await Promise.all(logs)).map(({ name, ...figures }) => [name, figures] as const)
    return { logs: new Map(counted), volumes: await Promise.all(volumes) }
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

const apiSeconds = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
