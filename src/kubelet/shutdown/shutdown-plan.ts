// In which order pods end when the node goes down, and how long each has. Pure.
// Upstream: pkg/kubelet/nodeshutdown, migrateConfig and groupByPriority.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ShutdownGrace } from '../configuration/settings.ts'
import { isCritical } from '../eviction/rank-pods.ts'

export interface ShutdownGroup {
  /** The next group begins after this long at the latest. */
  withinMs: number
  pods: { pod: Pod; graceSeconds: number }[]
}

/** Critical pods end last, in the time that is theirs. Groups without pods are left out. */
export function shutdownPlan(pods: readonly Pod[], { allMs, criticalMs }: ShutdownGrace): ShutdownGroup[] {
  const critical = (pod: Pod) => isCritical({ pod, priority: pod.spec.priority ?? 0 })
  const [first, last] = [pods.filter(pod => !critical(pod)), pods.filter(critical)]
  return [shutdownGroup(first, allMs - criticalMs), shutdownGroup(last, criticalMs)].filter(
    ({ pods }) => pods.length > 0,
  )
}

/** A pod that grants itself less has less. */
export function shutdownGroup(pods: readonly Pod[], withinMs: number): ShutdownGroup {
  const seconds = Math.floor(withinMs / 1000)
  const own = (pod: Pod) => pod.spec.terminationGracePeriodSeconds ?? 30
  return { withinMs, pods: pods.map(pod => ({ pod, graceSeconds: Math.min(own(pod), seconds) })) }
}
