// In which order pods are evicted when a resource runs short. Pure. Upstream: rankMemoryPressure,
// rankDiskPressureFunc, rankPIDPressure.
import { podRequests } from '../../api/pod/resources.ts'
import { type DiskShare, diskOf, memoryOf, type PodUsage, WHOLE } from './pod-usage.ts'
import type { Signal } from './threshold.ts'

export type StarvedResource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids'

export const resourceOf = (signal: Signal): StarvedResource =>
  signal === 'memory.available'
    ? 'memory'
    : signal === 'pid.available'
      ? 'pids'
      : signal.endsWith('inodesFree')
        ? 'inodes'
        : 'ephemeral-storage'

/**
 * Pods of which nothing is known first; then those that use more than they asked for, those of least priority, and the
 * largest. For process ids only priority and number count. `ownImageDisk`: images and containers' layers have a disk of
 * their own, so that each disk is relieved by what is on it.
 */
export function rankPods(pods: readonly PodUsage[], signal: Signal, ownImageDisk: boolean): PodUsage[] {
  const keys = new Map(pods.map(pod => [pod, sortKey(pod, signal, ownImageDisk)]))
  return pods.toSorted((a, b) => {
    const [first, second] = [keys.get(a)!, keys.get(b)!]
    const difference = first.map((value, index) => value - second[index]!).find(value => value !== 0)
    return difference ?? 0
  })
}

/** Lower goes first. */
function sortKey(usage: PodUsage, signal: Signal, ownImageDisk: boolean): number[] {
  const unknown = usage.containers.length === 0 ? 0 : 1
  const resource = resourceOf(signal)
  if (resource === 'pids') return [unknown, usage.priority, -usage.processes]
  if (resource === 'memory') {
    const excess = memoryOf(usage) - requestOf(usage, 'memory')
    return [unknown, excess > 0 ? 0 : 1, usage.priority, -excess]
  }
  const disk = diskOf(usage, sharesOn(signal, ownImageDisk))
  const used = resource === 'inodes' ? disk.inodes : disk.bytes
  // As upstream: nobody asks for inodes, and the order among the greedy subtracts what was asked for in bytes.
  const bytesAsked = requestOf(usage, 'ephemeral-storage')
  const exceeds = used > (resource === 'inodes' ? 0 : bytesAsked)
  return [unknown, exceeds ? 0 : 1, usage.priority, -(used - bytesAsked)]
}

/** Upstream: buildSignalToRankFunc. */
function sharesOn(signal: Signal, ownImageDisk: boolean): readonly DiskShare[] {
  if (!ownImageDisk) return WHOLE
  return signal.startsWith('imagefs') ? ['root'] : ['logs', 'volumes']
}

const requestOf = ({ pod }: PodUsage, resource: StarvedResource): number =>
  podRequests(pod).get(resource)?.value() ?? 0

const CRITICAL_PRIORITY = 2_000_000_000
const SOURCE = 'kubernetes.io/config.source'
const MIRROR = 'kubernetes.io/config.mirror'

/** Static, mirror and system-critical pods are never evicted. Upstream: IsCriticalPod. */
export function isCritical({ pod, priority }: Pick<PodUsage, 'pod' | 'priority'>): boolean {
  const { annotations = {} } = pod.metadata
  const fromElsewhere = annotations[SOURCE] !== undefined && annotations[SOURCE] !== 'api'
  return fromElsewhere || annotations[MIRROR] !== undefined || priority >= CRITICAL_PRIORITY
}
