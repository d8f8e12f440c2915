// The CRI's figures of containers and sandboxes: processor and memory from their cgroups, the network from the
// sandbox's own namespace, the writable layer by counting (at most every ten seconds for each container).
import { readFileSync } from 'node:fs'
import type { PassiveClock } from '../../../base/clock.ts'
import { type DiskFigures, diskFigures } from '../../../base/disk-usage.ts'
import type * as cri from '../../cri/cri.generated.ts'
import type { ContainerRecord } from '../containers/container-record.ts'
import type { Sandbox } from '../sandbox/sandbox-store.ts'
import type { StateDir } from '../state-dir.ts'
import { inNamespace } from '../syscall/namespaces.ts'
import { CgroupReader, type MemoryFigures } from './cgroup-usage.ts'
import { type CpuSample, cpuRate } from './cpu-rate.ts'
import { parseInterfaces } from './network-interfaces.ts'

const COUNT_EVERY_MS = 10_000

export interface RuntimeStatsOptions {
  dir: StateDir
  clock: PassiveClock
  /** The cgroup of a container or of a sandbox. */
  cgroupOf(sandbox: Sandbox, containerId?: string): string
}

interface Remembered {
  samples: CpuSample[]
  layer?: { at: number; figures: Promise<DiskFigures> }
}

export class RuntimeStats {
  readonly #options: RuntimeStatsOptions
  readonly #cgroups = new CgroupReader()
  readonly #remembered = new Map<string, Remembered>()

  constructor(options: RuntimeStatsOptions) {
    this.#options = options
  }

  async container(record: ContainerRecord, sandbox: Sandbox): Promise<cri.ContainerStats> {
    const { id, config } = record
    const timestamp = this.#now()
    const usage = this.#cgroups.usage(this.#options.cgroupOf(sandbox, id))
    const layer = await this.#layerOf(id)
    return {
      attributes: {
        id,
        metadata: config.metadata,
        labels: config.labels ?? {},
        annotations: config.annotations ?? {},
      },
      ...this.#cpu(id, timestamp, usage.cpuNanoseconds, record.startedAt),
      ...(usage.memory && { memory: memoryUsage(timestamp, usage.memory) }),
      writableLayer: {
        timestamp,
        fsId: { mountpoint: this.#options.dir.containers },
        usedBytes: { value: layer.bytes },
        inodesUsed: { value: layer.inodes },
      },
      ...(usage.memory?.swapUsage !== undefined && {
        swap: { timestamp, swapUsageBytes: { value: usage.memory.swapUsage } },
      }),
    }
  }

  async sandbox(sandbox: Sandbox, records: readonly ContainerRecord[]): Promise<cri.PodSandboxStats> {
    const { id, config } = sandbox
    const timestamp = this.#now()
    const { cpuNanoseconds, memory, processes } = this.#cgroups.usage(this.#options.cgroupOf(sandbox))
    return {
      attributes: {
        id,
        metadata: config.metadata,
        labels: config.labels ?? {},
        annotations: config.annotations ?? {},
      },
      linux: {
        ...this.#cpu(id, timestamp, cpuNanoseconds, sandbox.createdAt),
        ...(memory && { memory: memoryUsage(timestamp, memory) }),
        ...this.#network(sandbox, timestamp),
        ...(processes !== undefined && { process: { timestamp, processCount: { value: processes } } }),
        containers: await Promise.all(records.map(record => this.container(record, sandbox))),
      },
    }
  }

  /** Of a container or sandbox that is removed. */
  forget(id: string): void {
    this.#remembered.delete(id)
  }

  #now(): number {
    return this.#options.clock.now() * 1e6
  }

  #memoryOf(id: string): Remembered {
    const known = this.#remembered.get(id) ?? { samples: [] }
    this.#remembered.set(id, known)
    return known
  }

  #cpu(id: string, timestamp: number, total: number | undefined, startedAt: number): { cpu?: cri.CpuUsage } {
    if (total === undefined) return {}
    const known = this.#memoryOf(id)
    const { samples, rate } = cpuRate(known.samples, { at: timestamp, total }, startedAt)
    known.samples = samples
    const usageNanoCores = rate === undefined ? {} : { usageNanoCores: { value: rate } }
    return { cpu: { timestamp, usageCoreNanoSeconds: { value: total }, ...usageNanoCores } }
  }

  #layerOf(id: string): Promise<DiskFigures> {
    const known = this.#memoryOf(id)
    const now = this.#options.clock.now()
    if (!known.layer || now - known.layer.at >= COUNT_EVERY_MS) {
      known.layer = { at: now, figures: diskFigures(this.#options.dir.container(id, 'upper')) }
    }
    return known.layer.figures
  }

  #network(sandbox: Sandbox, timestamp: number): { network?: cri.NetworkUsage } {
    if (!sandbox.ip || !sandbox.ready) return {}
    const text = inNamespace('net', this.#options.dir.pod(sandbox.id, 'net'), () =>
      readFileSync('/proc/thread-self/net/dev', 'utf8'),
    )
    const all = parseInterfaces(text)
    const defaultInterface = all.find(({ name }) => name === 'eth0')
    const interfaces = all.filter(({ name }) => name !== 'eth0' && name !== 'lo')
    return { network: { timestamp, ...(defaultInterface && { defaultInterface }), interfaces } }
  }
}

function memoryUsage(timestamp: number, figures: MemoryFigures): cri.MemoryUsage {
  const { usage, workingSet, rss, limit, pageFaults, majorPageFaults } = figures
  return {
    timestamp,
    workingSetBytes: { value: workingSet },
    ...(limit !== undefined && { availableBytes: { value: Math.max(0, limit - workingSet) } }),
    usageBytes: { value: usage },
    rssBytes: { value: rss },
    pageFaults: { value: pageFaults },
    majorPageFaults: { value: majorPageFaults },
  }
}
