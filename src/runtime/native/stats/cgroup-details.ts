// What the kernel tells of one cgroup beyond what it uses now: how the time was spent, what was read and written, how
// often it was throttled or ran into its limit. Either cgroup version; what a machine does not offer is left out.
// Upstream has the same from cadvisor (container/libcontainer/handler.go).
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProcessDetails, processDetails } from './process-details.ts'

export interface CgroupDetails {
  /** Nanoseconds. */
  cpu?: { user: number; system: number }
  throttling?: { periods: number; throttledPeriods: number; throttledNanoseconds: number }
  memory?: MemoryDetails
  /** One for each device that was used. */
  devices: DeviceDetails[]
  limits: CgroupLimitDetails
  processes?: ProcessDetails
}

export interface MemoryDetails {
  cache: number
  mappedFile: number
  swap: number
  /** The most that was ever in use. */
  maximum?: number
  /** How often the limit was met, and how often a process was killed for it. */
  failures: number
  kills: number
  faults: { pgfault: number; pgmajfault: number }
}

export interface DeviceDetails {
  major: string
  minor: string
  reads: number
  writes: number
  readBytes: number
  writtenBytes: number
}

/** As they were set: shares are v1's, also where the kernel has weights. 0 is no limit. */
export interface CgroupLimitDetails {
  cpuShares: number
  cpuPeriod: number
  cpuQuota: number
  memoryBytes: number
  memorySwapBytes: number
  processes: number
}

const UNLIMITED = 2 ** 60
const NANOSECONDS_PER_TICK = 10_000_000

/** `path` as in cgroupsPath. Undefined when the cgroup is gone. */
export function cgroupDetails(
  path: string,
  mount = '/sys/fs/cgroup',
  proc = '/proc',
): CgroupDetails | undefined {
  const unified = existsSync(join(mount, 'cgroup.controllers'))
  const read: Read = (controller, file) =>
    text(unified ? join(mount, path, file) : join(mount, controller, path, file))
  if (read('memory', 'cgroup.procs') === undefined) return undefined
  const details = unified ? unifiedDetails(read) : separateDetails(read)
  return { ...details, processes: processDetails(cgroupProcesses(path, mount), proc) }
}

/** Ids of its processes, the oldest first. */
export function cgroupProcesses(path: string, mount = '/sys/fs/cgroup'): string[] {
  const unified = existsSync(join(mount, 'cgroup.controllers'))
  const content = text(join(unified ? mount : join(mount, 'memory'), path, 'cgroup.procs')) ?? ''
  return content.split('\n').filter(Boolean)
}

type Read = (controller: string, file: string) => string | undefined

function unifiedDetails(read: Read): CgroupDetails {
  const cpu = fields(read('cpu', 'cpu.stat'))
  const memory = fields(read('memory', 'memory.stat'))
  const events = fields(read('memory', 'memory.events'))
  const [quota, period] = (read('cpu', 'cpu.max') ?? '').trim().split(' ')
  return {
    ...(cpu.has('user_usec') && {
      cpu: { user: cpu.get('user_usec')! * 1000, system: (cpu.get('system_usec') ?? 0) * 1000 },
    }),
    ...throttling(cpu, (cpu.get('throttled_usec') ?? 0) * 1000),
    ...(memory.size > 0 && {
      memory: {
        cache: memory.get('file') ?? 0,
        mappedFile: memory.get('file_mapped') ?? 0,
        swap: number(read('memory', 'memory.swap.current')) ?? 0,
        ...maximum(read('memory', 'memory.peak')),
        failures: events.get('max') ?? 0,
        kills: events.get('oom_kill') ?? 0,
        faults: { pgfault: memory.get('pgfault') ?? 0, pgmajfault: memory.get('pgmajfault') ?? 0 },
      },
    }),
    devices: unifiedDevices(read('io', 'io.stat') ?? ''),
    limits: {
      cpuShares: sharesOf(number(read('cpu', 'cpu.weight')) ?? 0),
      cpuPeriod: Number(period ?? 0),
      cpuQuota: quota === 'max' ? 0 : Number(quota || 0),
      memoryBytes: limit(read('memory', 'memory.max')),
      memorySwapBytes: limit(read('memory', 'memory.swap.max')),
      processes: limit(read('pids', 'pids.max')),
    },
  }
}

/** The inverse of how shares become a weight (KEP-2254), in whole shares. */
const sharesOf = (weight: number): number =>
  weight === 0 ? 0 : Math.round(2 + ((weight - 1) * 262_142) / 9_999)

function separateDetails(read: Read): CgroupDetails {
  const cpu = fields(read('cpuacct', 'cpuacct.stat'))
  const throttled = fields(read('cpu', 'cpu.stat'))
  const memory = fields(read('memory', 'memory.stat'))
  const oom = fields(read('memory', 'memory.oom_control'))
  return {
    ...(cpu.has('user') && {
      cpu: {
        user: cpu.get('user')! * NANOSECONDS_PER_TICK,
        system: (cpu.get('system') ?? 0) * NANOSECONDS_PER_TICK,
      },
    }),
    ...throttling(throttled, throttled.get('throttled_time') ?? 0),
    ...(memory.size > 0 && {
      memory: {
        cache: memory.get('total_cache') ?? 0,
        mappedFile: memory.get('total_mapped_file') ?? 0,
        swap: memory.get('total_swap') ?? 0,
        ...maximum(read('memory', 'memory.max_usage_in_bytes')),
        failures: number(read('memory', 'memory.failcnt')) ?? 0,
        kills: oom.get('oom_kill') ?? 0,
        faults: {
          pgfault: memory.get('total_pgfault') ?? 0,
          pgmajfault: memory.get('total_pgmajfault') ?? 0,
        },
      },
    }),
    devices: separateDevices(
      read('blkio', 'blkio.throttle.io_serviced_recursive') ?? '',
      read('blkio', 'blkio.throttle.io_service_bytes_recursive') ?? '',
    ),
    limits: {
      cpuShares: number(read('cpu', 'cpu.shares')) ?? 0,
      cpuPeriod: number(read('cpu', 'cpu.cfs_period_us')) ?? 0,
      cpuQuota: Math.max(0, number(read('cpu', 'cpu.cfs_quota_us')) ?? 0),
      memoryBytes: limit(read('memory', 'memory.limit_in_bytes')),
      memorySwapBytes: limit(read('memory', 'memory.memsw.limit_in_bytes')),
      processes: limit(read('pids', 'pids.max')),
    },
  }
}

function throttling(
  cpu: ReadonlyMap<string, number>,
  throttledNanoseconds: number,
): Pick<CgroupDetails, 'throttling'> {
  const periods = cpu.get('nr_periods')
  if (periods === undefined) return {}
  return {
    throttling: { periods, throttledPeriods: cpu.get('nr_throttled') ?? 0, throttledNanoseconds },
  }
}

const maximum = (content: string | undefined) => {
  const value = number(content)
  return value === undefined ? {} : { maximum: value }
}

/** Lines as '8:0 rbytes=1 wbytes=2 rios=3 wios=4 …'. */
function unifiedDevices(content: string): DeviceDetails[] {
  return content.split('\n').flatMap(line => {
    const [device = '', ...pairs] = line.trim().split(' ')
    const [major = '', minor] = device.split(':')
    if (minor === undefined) return []
    const values = new Map(pairs.map(pair => pair.split('=') as [string, string]))
    const value = (name: string) => Number(values.get(name) ?? 0)
    const [reads, writes, readBytes, writtenBytes] = ['rios', 'wios', 'rbytes', 'wbytes'].map(value)
    return [
      {
        major,
        minor,
        reads: reads!,
        writes: writes!,
        readBytes: readBytes!,
        writtenBytes: writtenBytes!,
      },
    ]
  })
}

/** Lines as '8:0 Read 12', in a file of operations and in one of bytes. */
function separateDevices(operations: string, bytes: string): DeviceDetails[] {
  const devices = new Map<string, DeviceDetails>()
  const note = (content: string, read: 'reads' | 'readBytes', write: 'writes' | 'writtenBytes') => {
    for (const line of content.split('\n')) {
      const [, major, minor, kind, value] = /^(\d+):(\d+) (Read|Write) (\d+)$/.exec(line) ?? []
      if (major === undefined || minor === undefined) continue
      const known = devices.get(`${major}:${minor}`) ?? {
        major,
        minor,
        reads: 0,
        writes: 0,
        readBytes: 0,
        writtenBytes: 0,
      }
      known[kind === 'Read' ? read : write] = Number(value)
      devices.set(`${major}:${minor}`, known)
    }
  }
  note(operations, 'reads', 'writes')
  note(bytes, 'readBytes', 'writtenBytes')
  return [...devices.values()]
}

function limit(content: string | undefined): number {
  const value = number(content)
  return value !== undefined && value < UNLIMITED ? value : 0
}

function number(content: string | undefined): number | undefined {
  const value = Number.parseInt(content ?? '', 10)
  return Number.isNaN(value) ? undefined : value
}

/** 'name value' on each line. */
function fields(content: string | undefined): Map<string, number> {
  const entries = (content ?? '').split('\n').flatMap(line => {
    const [name, value] = line.split(' ')
    return name && value !== undefined ? [[name, Number(value)] as const] : []
  })
  return new Map(entries)
}

function text(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Gone, or this kernel does not have it.
    return undefined
  }
}
