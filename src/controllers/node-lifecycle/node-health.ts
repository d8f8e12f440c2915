// What a Node's silence means for its conditions. Pure. Upstream: tryUpdateNodeHealth.
import { formatTime } from '../../api/time.ts'
import type { Node, NodeCondition } from '../../api/types/core-v1.ts'

/** Upstream: --node-monitor-grace-period, --node-startup-grace-period. */
export const GRACE_MS = 50_000
export const STARTUP_GRACE_MS = 60_000

const WATCHED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

export function readyStatus({ status }: Node): 'True' | 'False' | 'Unknown' | undefined {
  const status_ = status.conditions?.find(({ type }) => type === 'Ready')?.status
  return status_ as 'True' | 'False' | 'Unknown' | undefined
}

/** A Node that has never told its status gets a little longer. */
export const graceMs = (node: Node): number => (readyStatus(node) === undefined ? STARTUP_GRACE_MS : GRACE_MS)

/** The conditions of a Node that was not heard of for its grace; the same list when they say so already. */
export function silentConditions({ metadata, status }: Node, now: number): readonly NodeCondition[] {
  const old = status.conditions ?? []
  const at = formatTime(now)
  let changed = false
  const next = old.map(condition => {
    if (!WATCHED.includes(condition.type) || condition.status === 'Unknown') return condition
    changed = true
    return {
      ...condition,
      status: 'Unknown' as const,
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: at,
    }
  })
  const missing = WATCHED.filter(type => !old.some(condition => condition.type === type))
  if (!changed && missing.length === 0) return old
  const never = missing.map(
    (type): NodeCondition => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      ...(metadata.creationTimestamp && { lastHeartbeatTime: metadata.creationTimestamp }),
      lastTransitionTime: at,
    }),
  )
  return [...next, ...never]
}
