// How many Pods more or fewer than asked for a Deployment may have while it rolls.
// Upstream: ResolveFenceposts, MaxSurge and MaxUnavailable in pkg/controller/deployment/util.
import { scaledCount } from '../../api/int-or-percent.ts'
import type { Deployment } from '../../api/types/apps-v1.ts'

export interface RollingLimits {
  maxSurge: number
  maxUnavailable: number
}

export const desiredReplicas = ({ spec }: Deployment): number => spec.replicas ?? 1

export const isRolling = ({ spec }: Deployment): boolean => spec.strategy.type === 'RollingUpdate'

/** Both 0 would never get anywhere: then one may be unavailable. */
export function rollingLimits(deployment: Deployment): RollingLimits {
  if (!isRolling(deployment)) return { maxSurge: 0, maxUnavailable: 0 }
  const replicas = desiredReplicas(deployment)
  const { maxSurge: surge, maxUnavailable: unavailable } = deployment.spec.strategy.rollingUpdate ?? {}
  const maxSurge = scaledCount(surge, replicas, 'up')
  const rounded = scaledCount(unavailable, replicas, 'down')
  const maxUnavailable = maxSurge === 0 && rounded === 0 ? 1 : rounded
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) }
}
