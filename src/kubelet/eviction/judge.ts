// From what the node has left to what must be done about it. Pure. Upstream: eviction_manager.go synchronize.
import type { NodePressures } from '../node/node-conditions.ts'
import { type EvictionWords, lowOnResource } from './eviction-message.ts'
import type { PodUsage } from './pod-usage.ts'
import { isCritical, rankPods } from './rank-pods.ts'
import { isMet, type Observations, type Signal, type Threshold } from './threshold.ts'

/** What is remembered from one look at the node to the next. Times in milliseconds. */
export interface EvictionState {
  /** Since when each threshold is met, by its place in the list. */
  metSince: Readonly<Record<number, number>>
  /** Places of the thresholds that were acted on: they hold until their minimum is reclaimed. */
  unresolved: readonly number[]
  /** When each pressure was last seen. */
  seenAt: Readonly<Partial<Record<keyof NodePressures, number>>>
}

export const nothingSeen: EvictionState = { metSince: {}, unresolved: [], seenAt: {} }

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
  const met = thresholds.map(
    (threshold, index) =>
      isMet(threshold, observations) ||
      (before.unresolved.includes(index) && isMet(threshold, observations, true)),
  )
  const metSince = Object.fromEntries(
    thresholds.flatMap((_, index) => (met[index] ? [[index, before.metSince[index] ?? now]] : [])),
  )
  const seenAt = { ...before.seenAt }
  for (const [index, { signal }] of thresholds.entries()) if (met[index]) seenAt[pressureOf(signal)] = now
  const shown = (pressure: keyof NodePressures) => {
    const seen = seenAt[pressure]
    return seen !== undefined && now - seen < transitionMs
  }
  const unresolved = [...thresholds.keys()].filter(
    index => metSince[index] !== undefined && now - metSince[index] >= thresholds[index]!.graceMs,
  )
  const due = unresolved.map(index => thresholds[index]!)
  const starved = due.toSorted((a, b) => urgency(a.signal) - urgency(b.signal))[0]
  return {
    state: { metSince, unresolved, seenAt },
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

export interface Eviction extends EvictionWords {
  pod: PodUsage['pod']
  graceSeconds: number
  /** It is ended for the node's sake, not by its own fault. */
  disruption: boolean
}

/** Upstream: immediateEvictionGracePeriodSeconds. */
const AT_ONCE_SECONDS = 1

export interface EvictionRules {
  /** evictionMaxPodGracePeriod: the most that a pod gets which a soft threshold ends. */
  softGraceSeconds: number
  /** Images and containers' layers are on a disk of their own. */
  ownImageDisk: boolean
}

/** One pod at a time: its end may be all that is needed. */
export function choosePod(
  threshold: Threshold,
  observations: Observations,
  pods: readonly PodUsage[],
  { softGraceSeconds, ownImageDisk }: EvictionRules,
): Eviction | undefined {
  const candidates = pods.filter(pod => !isCritical(pod))
  const [chosen] = rankPods(candidates, threshold.signal, ownImageDisk)
  if (!chosen) return undefined
  const own = chosen.pod.spec.terminationGracePeriodSeconds ?? softGraceSeconds
  return {
    pod: chosen.pod,
    ...lowOnResource(threshold, observations[threshold.signal]!, chosen),
    graceSeconds: threshold.graceMs > 0 ? Math.min(softGraceSeconds, own) : AT_ONCE_SECONDS,
    disruption: true,
  }
}

/** A pod that has exceeded a limit of its own. */
export const ofItsOwnFault = (pod: PodUsage['pod'], message: string): Eviction => ({
  pod,
  message,
  graceSeconds: AT_ONCE_SECONDS,
  disruption: false,
})
