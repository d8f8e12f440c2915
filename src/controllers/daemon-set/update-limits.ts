import { scaledCount } from '../../api/int-or-percent.ts'
import type { DaemonSet } from '../../api/types/apps-v1.ts'

export interface UpdateLimits {
  maxUnavailable: number
  /** 0: an old Pod goes before the new one comes. */
  maxSurge: number
}

/** Percentages are of the nodes that shall run one, rounded up; both 0 would never get anywhere. */
export function updateLimits({ spec }: DaemonSet, desired: number): UpdateLimits {
  const { type, rollingUpdate } = spec.updateStrategy
  if (type !== 'RollingUpdate') return { maxUnavailable: 0, maxSurge: 0 }
  const maxUnavailable = scaledCount(rollingUpdate?.maxUnavailable, desired, 'up')
  const maxSurge = scaledCount(rollingUpdate?.maxSurge, desired, 'up')
  return { maxUnavailable: maxUnavailable === 0 && maxSurge === 0 ? 1 : maxUnavailable, maxSurge }
}
