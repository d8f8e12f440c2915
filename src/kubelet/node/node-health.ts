// How the machine is doing now: memory, disk, process ids, and whether the runtime is ready.
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { NodeHealth } from './node-conditions.ts'

/** Upstream's default hard eviction thresholds. */
const LEAST_MEMORY_BYTES = 100 * 1024 * 1024
const LEAST_DISK_SHARE = 0.1
const LEAST_INODES_SHARE = 0.05

export async function readHealth(runtime: RuntimeService, dir: string): Promise<NodeHealth> {
  return {
    memoryPressure: availableMemory() < LEAST_MEMORY_BYTES,
    diskPressure: isDiskFull(dir),
    pidPressure: false,
    problem: await runtimeProblem(runtime),
  }
}

function availableMemory(): number {
  const match = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))
  return match ? Number(match[1]) * 1024 : Number.POSITIVE_INFINITY
}

function isDiskFull(dir: string): boolean {
  const disk = statfsSync(existsSync(dir) ? dir : '/')
  // File systems without a fixed number of inodes report none.
  const inodes = disk.files > 0 ? disk.ffree / disk.files : 1
  return disk.bavail / disk.blocks < LEAST_DISK_SHARE || inodes < LEAST_INODES_SHARE
}

async function runtimeProblem(runtime: RuntimeService): Promise<string> {
  try {
    const { status } = await runtime.status({ verbose: false })
    const problems = status.conditions
      .filter(({ status: holds, type }) => !holds && (type === 'RuntimeReady' || type === 'NetworkReady'))
      .map(({ type, reason, message }) => {
        const subject =
          type === 'RuntimeReady' ? 'container runtime not ready' : 'container runtime network not ready'
        return `${subject}: ${type}=false reason:${reason} message:${message}`
      })
    return problems.join(', ')
  } catch (error) {
    return `container runtime is down: ${(error as Error).message}`
  }
}
