// Which pods' figures may be believed: those of pods that have just started say little of their load. Pure.
// Upstream: groupPods of pkg/controller/podautoscaler/replica_calculator.go.
import { parseTime } from '../../api/time.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { PodMetric, PodMetrics } from './pod-metrics.ts'

export interface Readiness {
  /** So long after its start a pod may still be busy with starting. */
  cpuInitializationMs: number
  /** A pod that becomes unready so soon after its start has never been ready. */
  initialReadinessDelayMs: number
}

export interface GroupedPods {
  readyCount: number
  /** Names of pods without a figure. */
  missing: Set<string>
  /** Pending, or not ready to be measured. */
  unready: Set<string>
  /** Going or failed: they do not count at all. */
  ignored: Set<string>
}

export function groupPods(
  pods: readonly Pod[],
  metrics: PodMetrics,
  resource: string | undefined,
  readiness: Readiness,
  now: number,
): GroupedPods {
  const groups: GroupedPods = { readyCount: 0, missing: new Set(), unready: new Set(), ignored: new Set() }
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    const metric = metrics.get(name)
    if (deletionTimestamp || pod.status.phase === 'Failed') groups.ignored.add(name)
    else if (pod.status.phase === 'Pending') groups.unready.add(name)
    else if (!metric) groups.missing.add(name)
    else if (resource === 'cpu' && !isMeasured(pod, metric, readiness, now)) groups.unready.add(name)
    else groups.readyCount++
  }
  return groups
}

function isMeasured({ status }: Pod, metric: PodMetric, readiness: Readiness, now: number): boolean {
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const startedAt = parseTime(status.startTime ?? '')
  if (!ready || startedAt === undefined) return false
  const changedAt = parseTime(ready.lastTransitionTime ?? '') ?? 0
  if (startedAt + readiness.cpuInitializationMs > now)
    return ready.status !== 'False' && metric.at >= changedAt + metric.windowMs
  return ready.status !== 'False' || startedAt + readiness.initialReadinessDelayMs <= changedAt
}
