// What the processes of one cgroup use, from the kernel's files of either cgroup version. Figures that a machine does
// not offer are left out. Upstream's source of the same figures: cadvisor container/libcontainer/handler.go.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CgroupUsage {
  /** Nanoseconds of processor time since the cgroup was made. */
  cpuNanoseconds?: number
  memory?: MemoryFigures
  processes?: number
}

/** Bytes; counters of page faults. */
export interface MemoryFigures {
  usage: number
  /** Usage without file pages that could go at once. */
  workingSet: number
  rss: number
  limit?: number
  pageFaults: number
  majorPageFaults: number
  swapUsage?: number
}

/** No limit is a very large number on v1. */
const UNLIMITED = 2 ** 60

export class CgroupReader {
  readonly #mount: string
  readonly #unified: boolean

  constructor(mount = '/sys/fs/cgroup') {
    this.#mount = mount
    this.#unified = existsSync(join(mount, 'cgroup.controllers'))
  }

  /** `path` as in cgroupsPath: '/kubernode/kubepods/pod…'. Empty when the cgroup is gone. */
  usage(path: string): CgroupUsage {
    const read = (controller: string, file: string) =>
      text(this.#unified ? join(this.#mount, path, file) : join(this.#mount, controller, path, file))
    return this.#unified ? unifiedUsage(read) : separateUsage(read)
  }
}

type Read = (controller: string, file: string) => string | undefined

function unifiedUsage(read: Read): CgroupUsage {
  const microseconds = field(read('cpu', 'cpu.stat'), 'usage_usec')
  const usage = number(read('memory', 'memory.current'))
  const stat = read('memory', 'memory.stat')
  return {
    ...(microseconds !== undefined && { cpuNanoseconds: microseconds * 1000 }),
    ...(usage !== undefined && {
      memory: {
        usage,
        workingSet: Math.max(0, usage - (field(stat, 'inactive_file') ?? 0)),
        rss: field(stat, 'anon') ?? 0,
        ...limitOf(read('memory', 'memory.max')),
        pageFaults: field(stat, 'pgfault') ?? 0,
        majorPageFaults: field(stat, 'pgmajfault') ?? 0,
        ...optional('swapUsage', number(read('memory', 'memory.swap.current'))),
      },
    }),
    ...optional('processes', number(read('pids', 'pids.current'))),
  }
}

function separateUsage(read: Read): CgroupUsage {
  const usage = number(read('memory', 'memory.usage_in_bytes'))
  const stat = read('memory', 'memory.stat')
  return {
    ...optional('cpuNanoseconds', number(read('cpuacct', 'cpuacct.usage'))),
    ...(usage !== undefined && {
      memory: {
        usage,
        workingSet: Math.max(0, usage - (field(stat, 'total_inactive_file') ?? 0)),
        rss: field(stat, 'total_rss') ?? 0,
        ...limitOf(read('memory', 'memory.limit_in_bytes')),
        pageFaults: field(stat, 'total_pgfault') ?? 0,
        majorPageFaults: field(stat, 'total_pgmajfault') ?? 0,
        ...optional('swapUsage', field(stat, 'total_swap')),
      },
    }),
    ...optional('processes', number(read('pids', 'pids.current'))),
  }
}

function limitOf(content: string | undefined): { limit?: number } {
  const limit = number(content)
  return limit !== undefined && limit < UNLIMITED ? { limit } : {}
}

const optional = <K extends string>(key: K, value: number | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [name in K]?: number }

function text(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Gone, or this kernel does not have it.
    return undefined
  }
}

function number(content: string | undefined): number | undefined {
  const value = Number.parseInt(content ?? '', 10)
  return Number.isNaN(value) ? undefined : value
}

/** The value of one line of a 'name value' file. */
function field(content: string | undefined, name: string): number | undefined {
  const line = content?.split('\n').find(one => one.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}
