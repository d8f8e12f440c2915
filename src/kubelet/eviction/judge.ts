// From what the node has left to what must be done about it. Pure. Upstream: eviction_manager.go synchronize.
import type { NodePressures } from '../node/node-conditions.ts'
import { lowOnResource } from './eviction-message.ts'
import type { PodUsage } from './pod-usage.ts'
import { isCritical, rankPods, resourceOf } from './rank-pods.ts'
import { isMet, type Observations, type Signal, type Threshold } from './threshold.ts'

/** What is remembered from one look at the node to the next. Times in milliseconds. */
export interface EvictionState {
  /** Since when each threshold is met, by its place in the list. */
  metSince: Readonly<Record<number, number>>
  /** When each pressure was last seen. */
  seenAt: Readonly<Partial<Record<keyof NodePressures, number>>>
}

export const nothingSeen: EvictionState = { metSince: {}, seenAt: {} }

export interface Judgement {
  state: EvictionState
  pressures: NodePressures
  /** The threshold to relieve now: met for its grace period, memory before everything else. */
  starved?: Threshold
}

/** A pressure is shown for `transitionMs` after it was last seen, so that it does not flap. */
export function judge(
  thresholds: readonly Threshold[],
  observations: Observations,
  before: EvictionState,
  now: number,
  transitionMs: number,
): Judgement {
  const met = thresholds.map(threshold => isMet(threshold, observations))
  const metSince = Object.fromEntries(
    thresholds.flatMap((_, index) => (met[index] ? [[index, before.metSince[index] ?? now]] : [])),
  )
  const seenAt = { ...before.seenAt }
  for (const [index, { signal }] of thresholds.entries()) if (met[index]) seenAt[pressureOf(signal)] = now
  const shown = (pressure: keyof NodePressures) => {
    const seen = seenAt[pressure]
    return seen !== undefined && now - seen < transitionMs
  }
  const due = thresholds.filter(
    ({ graceMs }, index) => metSince[index] !== undefined && now - metSince[index] >= graceMs,
  )
  const starved = due.toSorted((a, b) => urgency(a.signal) - urgency(b.signal))[0]
  return {
    state: { metSince, seenAt },
    pressures: {
      memoryPressure: shown('memoryPressure'),
      diskPressure: shown('diskPressure'),
      pidPressure: shown('pidPressure'),
    },
    ...(starved && { starved }),
  }
}

const pressureOf = (signal: Signal): keyof NodePressures =>
  signal === 'memory.available'
    ? 'memoryPressure'
    : signal === 'pid.available'
      ? 'pidPressure'
      : 'diskPressure'

const urgency = (signal: Signal) => (signal === 'memory.available' ? 0 : 1)

export interface Eviction {
  pod: PodUsage['pod']
  message: string
  graceSeconds: number
}

/** Upstream: immediateEvictionGracePeriodSeconds. */
const AT_ONCE_SECONDS = 1

/** One pod at a time: its end may be all that is needed. `softGraceSeconds` is evictionMaxPodGracePeriod. */
export function choosePod(
  threshold: Threshold,
  observations: Observations,
  pods: readonly PodUsage[],
  softGraceSeconds: number,
): Eviction | undefined {
  const [chosen] = rankPods(
    pods.filter(pod => !isCritical(pod)),
    resourceOf(threshold.signal),
  )
  if (!chosen) return undefined
  return {
    pod: chosen.pod,
    message: lowOnResource(threshold, observations[threshold.signal]!, chosen),
    graceSeconds: threshold.graceMs > 0 ? softGraceSeconds : AT_ONCE_SECONDS,
  }
}
