// What is remembered of an autoscaler between two rounds: what the figures asked for, and what was done. Pure: every
// change makes a new memory. Upstream: recommendations, scaleUpEvents and scaleDownEvents of HorizontalController.
import type { HPAScalingRules } from '../../api/types/autoscaling-v2.ts'

interface Recommendation {
  replicas: number
  at: number
}

interface Change {
  /** How many came or went: above 0. */
  by: number
  at: number
}

export interface ScalingMemory {
  recommendations: readonly Recommendation[]
  ups: readonly Change[]
  downs: readonly Change[]
}

/** At first sight: what there is, is what is wanted. */
export const firstMemory = (replicas: number, now: number): ScalingMemory => ({
  recommendations: [{ replicas, at: now }],
  ups: [],
  downs: [],
})

/** With a recommendation more, and without those that are older than the window. */
export function withRecommendation(
  memory: ScalingMemory,
  replicas: number,
  windowMs: number,
  now: number,
): ScalingMemory {
  const young = memory.recommendations.filter(({ at }) => at >= now - windowMs)
  return { ...memory, recommendations: [...young, { replicas, at: now }] }
}

/** With a change more, and without those that no policy looks at any longer. Upstream: storeScaleEvent. */
export function withChange(
  memory: ScalingMemory,
  { before, after, rules, now }: { before: number; after: number; rules: HPAScalingRules; now: number },
): ScalingMemory {
  const longestMs = Math.max(0, ...(rules.policies ?? []).map(({ periodSeconds }) => periodSeconds * 1_000))
  const add = (changes: readonly Change[]) => [
    ...changes.filter(({ at }) => at >= now - longestMs),
    { by: Math.abs(after - before), at: now },
  ]
  return after > before ? { ...memory, ups: add(memory.ups) } : { ...memory, downs: add(memory.downs) }
}

/** How many came and went within the period. Upstream: getReplicasChangePerPeriod. */
export function changesSince(
  { ups, downs }: ScalingMemory,
  periodSeconds: number,
  now: number,
): { added: number; removed: number } {
  const after = now - periodSeconds * 1_000
  const total = (changes: readonly Change[]) =>
    changes.filter(({ at }) => at > after).reduce((sum, { by }) => sum + by, 0)
  return { added: total(ups), removed: total(downs) }
}
