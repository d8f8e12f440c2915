// In which order pods are evicted when a resource runs short. Pure. Upstream: rankMemoryPressure, rankDiskPressure.
import { podRequests } from '../../api/pod/resources.ts'
import { diskOf, memoryOf, type PodUsage } from './pod-usage.ts'
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

/** First those that use more than they asked for, then those of least priority, then the largest. */
export function rankPods(pods: readonly PodUsage[], resource: StarvedResource): PodUsage[] {
  const usage = resource === 'memory' ? memoryOf : diskOf
  const known = resource === 'memory' || resource === 'ephemeral-storage'
  const excess = new Map(pods.map(pod => [pod, known ? usage(pod) - requestOf(pod, resource) : 0]))
  return pods.toSorted(
    (a, b) =>
      Number(excess.get(b)! > 0) - Number(excess.get(a)! > 0) ||
      a.priority - b.priority ||
      excess.get(b)! - excess.get(a)!,
  )
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
