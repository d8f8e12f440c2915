// What the whole machine uses, from /proc. Upstream has these from cadvisor's root container.
import { readFileSync, statfsSync } from 'node:fs'
import { parseInterfaces } from '../../runtime/native/stats/network-interfaces.ts'
import type { DiskFigures, MemoryFigures, NetworkFigures, SwapFigures } from './summary.ts'

/** Nanoseconds of processor time that anything but idling took since the machine started. */
export function machineCpuNanoseconds(text = readFileSync('/proc/stat', 'utf8')): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = text
    .split('\n')[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq + steal) * NANOSECONDS_PER_TICK
}

/** USER_HZ is 100 on every architecture of Linux that matters here. */
const NANOSECONDS_PER_TICK = 10_000_000

export function machineMemory(time: string, text = readFileSync('/proc/meminfo', 'utf8')): MemoryFigures {
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
  const usage = bytes('MemTotal') - bytes('MemFree')
  const workingSet = Math.max(0, usage - bytes('Inactive\\(file\\)'))
  return {
    time,
    availableBytes: bytes('MemTotal') - workingSet,
    usageBytes: usage,
    workingSetBytes: workingSet,
    rssBytes: bytes('AnonPages'),
  }
}

/** Page faults since the machine started. */
export function machineFaults(text = readFileSync('/proc/vmstat', 'utf8')) {
  const count = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  return { pageFaults: count('pgfault'), majorPageFaults: count('pgmajfault') }
}

export function machineSwap(time: string, text = readFileSync('/proc/meminfo', 'utf8')): SwapFigures {
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
  return {
    time,
    swapAvailableBytes: bytes('SwapFree'),
    swapUsageBytes: bytes('SwapTotal') - bytes('SwapFree'),
  }
}

export function diskOf(path: string, time: string): DiskFigures {
  const { bavail, bfree, blocks, bsize, files, ffree } = statfsSync(path)
  return {
    time,
    availableBytes: bavail * bsize,
    capacityBytes: blocks * bsize,
    usedBytes: (blocks - bfree) * bsize,
    ...(files > 0 && { inodes: files, inodesFree: ffree, inodesUsed: files - ffree }),
  }
}

/** Interfaces of the pod network are left out. The one with the default route counts as the node's. */
export function machineNetwork(time: string): NetworkFigures {
  const all = parseInterfaces(readFileSync('/proc/net/dev', 'utf8'))
    .filter(({ name }) => name !== 'lo' && !/^(kn-|kd-|kv)/.test(name))
    .map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({
      name,
      rxBytes: rxBytes?.value ?? 0,
      rxErrors: rxErrors?.value ?? 0,
      txBytes: txBytes?.value ?? 0,
      txErrors: txErrors?.value ?? 0,
    }))
  const routed = defaultInterface()
  const own = all.find(({ name }) => name === routed) ?? all[0] ?? { name: '' }
  return { time, ...own, interfaces: all }
}

/** The second column of /proc/net/route is the destination; 0 is everything. */
function defaultInterface(): string | undefined {
  const lines = readFileSync('/proc/net/route', 'utf8').split('\n').slice(1)
  return lines.map(line => line.split('\t')).find(([, destination]) => destination === '00000000')?.[0]
}

export function processLimits(time: string): { time: string; maxpid: number; curproc: number } {
  const maxpid = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'))
  const curproc = Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[3]?.split('/')[1] ?? 0)
  return { time, maxpid, curproc }
}
