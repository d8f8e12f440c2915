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

/** Bytes or things, and as they are written; for a percentage, the share of the capacity. */
export type ThresholdValue = { amount: number; text: string } | { share: number }

export interface Threshold {
  signal: Signal
  value: ThresholdValue
  /** The signal must have been beyond the threshold this long. 0: a hard threshold. */
  graceMs: number
  /** Once it is acted on, this much more than the threshold must be available before it is enough. */
  minReclaim?: ThresholdValue
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
  minReclaims: SignalTexts = {},
): Threshold[] {
  const reclaims = new Map(
    Object.entries(minReclaims).map(([signal, text]) => [known(signal), parseReclaim(signal, text)]),
  )
  const parse = (signal: string, text: string, graceMs: number): Threshold[] => {
    const minReclaim = reclaims.get(known(signal))
    const value = parseValue(signal, text)
    return value ? [{ signal: known(signal), value, graceMs, ...(minReclaim && { minReclaim }) }] : []
  }
  const softOnes = Object.entries(soft).flatMap(([signal, value]) => {
    const grace = softGrace[signal]
    if (grace === undefined)
      throw new Error(`grace period must be specified for the soft eviction threshold ${signal}`)
    return parse(signal, value, durationMs(grace))
  })
  return [...Object.entries(hard).flatMap(([signal, value]) => parse(signal, value, 0)), ...softOnes]
}

function known(signal: string): Signal {
  if (!(SIGNALS as readonly string[]).includes(signal))
    throw new Error(`unsupported eviction signal ${signal}`)
  return signal as Signal
}

/** undefined: 0% and 100% switch the threshold off. */
function parseValue(signal: string, text: string): ThresholdValue | undefined {
  if (text === '0%' || text === '100%') return undefined
  if (text.endsWith('%')) {
    const share = parseShare(text)
    if (share < 0) throw new Error(`eviction percentage threshold ${signal} must be >= 0%: ${text}`)
    if (share > 1) throw new Error(`eviction percentage threshold ${signal} must be <= 100%: ${text}`)
    return { share }
  }
  const quantity = Quantity.parse(text)
  if (quantity.sign <= 0)
    throw new Error(`eviction threshold ${signal} must be positive: ${quantity.toString()}`)
  return { amount: quantity.value(), text: quantity.toString() }
}

function parseReclaim(signal: string, text: string): ThresholdValue {
  if (text.endsWith('%')) {
    const share = parseShare(text)
    if (share <= 0) throw new Error(`eviction percentage minimum reclaim ${signal} must be positive: ${text}`)
    return { share }
  }
  const quantity = Quantity.parse(text)
  if (quantity.sign < 0) throw new Error(`negative eviction minimum reclaim specified for ${signal}`)
  return { amount: quantity.value(), text: quantity.toString() }
}

function parseShare(text: string): number {
  const share = Number(text.slice(0, -1)) / 100
  if (Number.isNaN(share))
    throw new Error(`strconv.ParseFloat: parsing "${text.slice(0, -1)}": invalid syntax`)
  return share
}

function durationMs(text: string): number {
  const ms = parseGoDuration(text)
  if (ms === undefined) throw new Error(`time: invalid duration "${text}"`)
  if (ms < 0) throw new Error(`invalid eviction grace period specified: ${text}, must be a positive value`)
  return ms
}

/** As an amount of the signal's own unit. */
const amountOf = (value: ThresholdValue, { capacity }: Observation): number =>
  'amount' in value ? value.amount : Math.floor(value.share * capacity)

/** For people: '100Mi'. Upstream: GetThresholdQuantity. */
export const quantityText = ({ value }: Threshold, observation: Observation): string =>
  'text' in value ? value.text : Quantity.fromValue(amountOf(value, observation), 'BinarySI').toString()

/** `enough`: the minimum that is to be reclaimed counts too. Upstream: thresholdsMet. */
export function isMet(threshold: Threshold, observations: Observations, enough = false): boolean {
  const observation = observations[threshold.signal]
  if (!observation) return false
  const { value, minReclaim } = threshold
  const more = enough && minReclaim ? amountOf(minReclaim, observation) : 0
  return observation.available < amountOf(value, observation) + more
}
