// From what the figures ask for to what is done: stabilisation windows, policies, bounds. Pure.
// Upstream: normalizeDesiredReplicas and normalizeDesiredReplicasWithBehaviors of horizontal.go.
import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../../api/types/autoscaling-v2.ts'
import type { Judgement } from './autoscaler-conditions.ts'
import { changesSince, type ScalingMemory, withRecommendation } from './scaling-memory.ts'

export interface LimitRequest {
  current: number
  /** What the figures ask for. */
  desired: number
  min: number
  max: number
  behavior?: HorizontalPodAutoscalerBehavior
  /** Of autoscalers that do not say themselves. */
  stabilizationMs: number
  memory: ScalingMemory
  now: number
}

export interface LimitedReplicas {
  replicas: number
  memory: ScalingMemory
  judgements: Judgement[]
}

interface Bounded {
  replicas: number
  reason: string
  message: string
}

const TOO_FAST = 'the desired replica count is increasing faster than the maximum scale rate'
const TOO_SLOW = 'the desired replica count is decreasing faster than the maximum scale rate'
const TOO_MANY = 'the desired replica count is more than the maximum replica count'
const TOO_FEW = 'the desired replica count is less than the minimum replica count'
const WITHIN = 'the desired count is within the acceptable range'
const HIGHER =
  'recent recommendations were higher than current one, applying the highest recent recommendation'
const LOWER = 'recent recommendations were lower than current one, applying the lowest recent recommendation'

export function limitReplicas(request: LimitRequest): LimitedReplicas {
  const { scaleUp, scaleDown } = request.behavior ?? {}
  return scaleUp && scaleDown ? limitByRules(request, scaleUp, scaleDown) : limitByDefault(request)
}

function limitByDefault(request: LimitRequest): LimitedReplicas {
  const { current, desired, min, max, stabilizationMs, memory, now } = request
  const recent = memory.recommendations.filter(({ at }) => at >= now - stabilizationMs)
  const stable = Math.max(desired, ...recent.map(({ replicas }) => replicas))
  const bounded = boundByDefault(current, stable, min, max)
  const remembered = withRecommendation(memory, desired, stabilizationMs, now)
  return limited(stable, stable === desired ? READY : HELD_DOWN, bounded, remembered)
}

/** Not more than twice as many at once. Upstream: convertDesiredReplicasWithRules. */
function boundByDefault(current: number, desired: number, min: number, max: number): Bounded {
  const fastest = Math.max(2 * current, 4)
  if (desired < min) return { replicas: min, reason: 'TooFewReplicas', message: TOO_FEW }
  if (desired > Math.min(max, fastest)) return aboveMost(max, fastest)
  return { replicas: desired, reason: 'DesiredWithinRange', message: WITHIN }
}

const aboveMost = (max: number, fastest: number): Bounded =>
  max > fastest
    ? { replicas: fastest, reason: 'ScaleUpLimit', message: TOO_FAST }
    : { replicas: max, reason: 'TooManyReplicas', message: TOO_MANY }

function limitByRules(request: LimitRequest, up: HPAScalingRules, down: HPAScalingRules): LimitedReplicas {
  const { current, desired, stabilizationMs, memory, now } = request
  const upMs = (up.stabilizationWindowSeconds ?? 0) * 1_000
  const { stabilizationWindowSeconds: downSeconds } = down
  const downMs = downSeconds === undefined ? stabilizationMs : downSeconds * 1_000
  const within = (ms: number) =>
    memory.recommendations.filter(({ at }) => at > now - ms).map(({ replicas }) => replicas)
  // Not above the lowest of one window, not below the highest of the other.
  const lowest = Math.min(desired, ...within(upMs))
  const highest = Math.max(desired, ...within(downMs))
  const stable = Math.min(Math.max(current, lowest), highest)
  const held = desired >= current ? HELD_UP : HELD_DOWN
  const bounded = boundByRules(request, stable, up, down)
  const remembered = withRecommendation(memory, desired, Math.max(upMs, downMs), now)
  return limited(stable, stable === desired ? READY : held, bounded, remembered)
}

/** Upstream: convertDesiredReplicasWithBehaviorRate. */
function boundByRules(
  { current, min, max, memory, now }: LimitRequest,
  desired: number,
  up: HPAScalingRules,
  down: HPAScalingRules,
): Bounded {
  if (desired > current) {
    const fastest = Math.max(current, mostAfter(up, current, memory, now))
    if (desired > Math.min(max, fastest)) return aboveMost(max, fastest)
  } else if (desired < current) {
    const slowest = Math.min(current, leastAfter(down, current, memory, now))
    if (desired < Math.max(min, slowest))
      return min < slowest
        ? { replicas: slowest, reason: 'ScaleDownLimit', message: TOO_SLOW }
        : { replicas: min, reason: 'TooFewReplicas', message: TOO_FEW }
  }
  return { replicas: desired, reason: 'DesiredWithinRange', message: WITHIN }
}

/** Upstream: calculateScaleUpLimitWithScalingRules. */
function mostAfter(rules: HPAScalingRules, current: number, memory: ScalingMemory, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const proposals = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = startOfPeriod(current, memory, periodSeconds, now)
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.min(...proposals) : Math.max(...proposals)
}

/** Upstream: calculateScaleDownLimitWithBehaviors. */
function leastAfter(rules: HPAScalingRules, current: number, memory: ScalingMemory, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const proposals = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = startOfPeriod(current, memory, periodSeconds, now)
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100))
  })
  // The smallest change is the greatest number that may be left.
  return rules.selectPolicy === 'Min' ? Math.max(...proposals) : Math.min(...proposals)
}

function startOfPeriod(current: number, memory: ScalingMemory, seconds: number, now: number): number {
  const { added, removed } = changesSince(memory, seconds, now)
  return current - added + removed
}

const READY: Judgement = {
  type: 'AbleToScale',
  status: 'True',
  reason: 'ReadyForNewScale',
  message: 'recommended size matches current size',
}
const HELD_UP: Judgement = {
  type: 'AbleToScale',
  status: 'True',
  reason: 'ScaleUpStabilized',
  message: LOWER,
}
const HELD_DOWN: Judgement = {
  type: 'AbleToScale',
  status: 'True',
  reason: 'ScaleDownStabilized',
  message: HIGHER,
}

/** `stable`: what stabilisation has left of the wish. */
function limited(stable: number, able: Judgement, bounded: Bounded, memory: ScalingMemory): LimitedReplicas {
  const { replicas, reason, message } = bounded
  const status = replicas === stable ? 'False' : 'True'
  return { replicas, memory, judgements: [able, { type: 'ScalingLimited', status, reason, message }] }
}
