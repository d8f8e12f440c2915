// What becomes of a target's replicas, given what its metrics ask for. Pure. Upstream: reconcileAutoscaler.
import { Quantity } from '../../api/quantity.ts'
import type { HorizontalPodAutoscalerSpec } from '../../api/types/autoscaling-v2.ts'
import type { Judgement } from './autoscaler-conditions.ts'
import { limitReplicas } from './limit-replicas.ts'
import type { Tolerances } from './replica-count.ts'
import type { ScalingMemory } from './scaling-memory.ts'

export interface ScaleDecision {
  replicas: number
  /** Of the event; empty when nothing changes. */
  reason: string
  memory: ScalingMemory
  judgements: Judgement[]
}

export interface ScaleQuestion {
  spec: HorizontalPodAutoscalerSpec
  current: number
  memory: ScalingMemory
  stabilizationMs: number
  now: number
}

/** What is decided without a look at the metrics; undefined when they are needed. */
export function decideWithoutMetrics({ spec, current, memory }: ScaleQuestion): ScaleDecision | undefined {
  const least = leastOf(spec)
  if (current === 0 && least !== 0) {
    const judgement: Judgement = {
      type: 'ScalingActive',
      status: 'False',
      reason: 'ScalingDisabled',
      message: 'scaling is disabled since the replica count of the target is zero',
    }
    return { replicas: current, reason: '', memory, judgements: [judgement] }
  }
  if (current > spec.maxReplicas) {
    const reason = 'Current number of replicas above Spec.MaxReplicas'
    return { replicas: spec.maxReplicas, reason, memory, judgements: [] }
  }
  if (current >= least) return undefined
  const reason = 'Current number of replicas below Spec.MinReplicas'
  return { replicas: least, reason, memory, judgements: [] }
}

export function decideByMetrics(
  { spec, current, memory, stabilizationMs, now }: ScaleQuestion,
  { replicas: desired, metric }: { replicas: number; metric: string },
): ScaleDecision {
  const { behavior } = spec
  const limited = limitReplicas({
    current,
    desired,
    min: leastOf(spec),
    max: spec.maxReplicas,
    ...(behavior && { behavior }),
    stabilizationMs,
    memory,
    now,
  })
  const reason =
    desired > current ? `${metric} above target` : desired < current ? 'All metrics below target' : ''
  return { ...limited, reason }
}

/** The autoscaler's own, or the cluster's. */
export function tolerancesOf({ behavior }: HorizontalPodAutoscalerSpec, usual: number): Tolerances {
  const own = (tolerance: string | undefined) =>
    tolerance === undefined ? usual : Quantity.parse(tolerance).milliValue() / 1_000
  return { scaleUp: own(behavior?.scaleUp?.tolerance), scaleDown: own(behavior?.scaleDown?.tolerance) }
}

const leastOf = ({ minReplicas = 1 }: HorizontalPodAutoscalerSpec): number => minReplicas
