// Eviction thresholds: 'memory.available<100Mi', 'nodefs.available<10%', soft ones with a grace period.
// Upstream: pkg/kubelet/eviction/helpers.go ParseThresholdConfig.
import { parseGoDuration } from '../../api/duration.ts'
import { Quantity } from '../../api/quantity.ts'

export const SIGNALS = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
] as const

export type Signal = (typeof SIGNALS)[number]

export interface Threshold {
  signal: Signal
  /** Bytes or things; for a percentage, the share of the capacity. */
  value: { amount: number } | { share: number }
  /** The signal must have been beyond the threshold this long. 0: a hard threshold. */
  graceMs: number
}

/** What a signal shows now, in bytes or things. */
export interface Observation {
  available: number
  capacity: number
}

export type Observations = Partial<Record<Signal, Observation>>

/**
 * Hard thresholds when nothing else is configured. Memory is upstream's. Upstream's shares of the disk (10 %, 15 %)
 * would evict everything from a laptop whose large disk is nearly full, so disks have absolute ones
 * (docs/decisions/0006).
 */
export const DEFAULT_HARD: SignalTexts = {
  'memory.available': '100Mi',
  'nodefs.available': '100Mi',
  'nodefs.inodesFree': '1%',
  'imagefs.available': '100Mi',
}

/** By signal: '100Mi', '10%', or a duration '1m30s'. */
export type SignalTexts = Readonly<Record<string, string>>

/** Throws Error with upstream's words. */
export function parseThresholds(
  hard: SignalTexts,
  soft: SignalTexts = {},
  softGrace: SignalTexts = {},
): Threshold[] {
  const softOnes = Object.entries(soft).map(([signal, value]) => {
    const grace = softGrace[signal]
    if (grace === undefined)
      throw new Error(`grace period must be specified for the soft eviction threshold ${signal}`)
    return { ...parse(signal, value), graceMs: durationMs(grace, signal) }
  })
  return [...Object.entries(hard).map(([signal, value]) => parse(signal, value)), ...softOnes]
}

function parse(signal: string, value: string): Threshold {
  if (!(SIGNALS as readonly string[]).includes(signal))
    throw new Error(`unsupported eviction signal ${signal}`)
  return { signal: signal as Signal, value: parseValue(signal, value), graceMs: 0 }
}

function parseValue(signal: string, text: string): Threshold['value'] {
  if (text.endsWith('%')) {
    const share = Number(text.slice(0, -1)) / 100
    if (!(share >= 0 && share < 1))
      throw new Error(`eviction percentage threshold ${signal} must be >= 0% and < 100%`)
    return { share }
  }
  const amount = Quantity.parse(text).value()
  if (amount < 0) throw new Error(`eviction threshold ${signal} must be positive: ${text}`)
  return { amount }
}

function durationMs(text: string, signal: string): number {
  const ms = parseGoDuration(text)
  if (ms === undefined || ms < 0) throw new Error(`invalid grace period for ${signal}: ${text}`)
  return ms
}

/** The threshold as an amount of the signal's own unit. */
export const amountOf = ({ value }: Threshold, { capacity }: Observation): number =>
  'amount' in value ? value.amount : value.share * capacity

export function isMet(threshold: Threshold, observations: Observations): boolean {
  const observation = observations[threshold.signal]
  return observation !== undefined && observation.available < amountOf(threshold, observation)
}
