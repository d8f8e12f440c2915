// Counts that may be written as a percentage of another: maxSurge, maxUnavailable.
// Upstream: apimachinery pkg/util/intstr GetScaledValueFromIntOrPercent.
import type { IntOrString } from './types/scalars.ts'

/** '25%' of `total`, rounded as told; a number is itself. Text that is no percentage counts as 0: validation refuses it. */
export function scaledCount(value: IntOrString | undefined, total: number, rounding: 'up' | 'down'): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value)
  if (!percent) return 0
  const exact = (Number(percent[1]) * total) / 100
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact)
}
