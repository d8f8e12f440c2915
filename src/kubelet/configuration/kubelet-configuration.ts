// The part of the kubelet's configuration file that means something here: kind KubeletConfiguration of
// kubelet.config.k8s.io/v1beta1, with upstream's field names, units and defaults.
import { parse } from 'yaml'
import { parseGoDuration } from '../../api/duration.ts'
import { Quantity } from '../../api/quantity.ts'
import { PlainError } from '../../base/plain-error.ts'
import { parseThresholds } from '../eviction/threshold.ts'

export interface KubeletConfiguration {
  /** The kubelet's own port. Default: 10250, or any free one where that is taken. */
  port?: number
  /** Signal → quantity or percentage. */
  evictionHard?: Record<string, string>
  evictionSoft?: Record<string, string>
  /** Signal → duration. */
  evictionSoftGracePeriod?: Record<string, string>
  /** Signal → quantity or percentage: what must be available beyond a threshold that was acted on. */
  evictionMinimumReclaim?: Record<string, string>
  /** evictionHard changes single defaults instead of replacing all. */
  mergeDefaultEvictionSettings?: boolean
  /** Seconds. */
  evictionMaxPodGracePeriod?: number
  /** Duration. */
  evictionPressureTransitionPeriod?: string
  /** Kernel settings beside the safe ones: names, or beginnings that end in '*'. */
  allowedUnsafeSysctls?: string[]
  /** The most processes of one pod; -1 (the default) is no limit. */
  podPidsLimit?: number
  crashLoopBackOff?: {
    /** Duration from 1s to 300s: the longest wait before a restart. */
    maxContainerRestartPeriod?: string
  }
  /** Quantity; negative for no limit. */
  containerLogMaxSize?: string
  /** Of one container, rotated ones included. */
  containerLogMaxFiles?: number
  /** Duration, at least 3s. */
  containerLogMonitorInterval?: string
  imageGCHighThresholdPercent?: number
  imageGCLowThresholdPercent?: number
  /** Duration. */
  imageMinimumGCAge?: string
  /** Duration; 0s for no limit. */
  imageMaximumGCAge?: string
  /** Pulls at the same time. */
  maxParallelImagePulls?: number
  /** A file, or a directory of files, with Pods that this node runs by itself. */
  staticPodPath?: string
  /** Duration: how long the pods may take to end when the node shuts down. */
  shutdownGracePeriod?: string
  /** Duration, a part of shutdownGracePeriod that only critical pods have. */
  shutdownGracePeriodCriticalPods?: string
  userNamespaces?: {
    /** How many ids a pod with a user namespace of its own has: a multiple of 65536. */
    idsPerPod?: number
  }
}

const API_VERSION = 'kubelet.config.k8s.io/v1beta1'

type Check = (value: unknown) => boolean
const isMap: Check = value =>
  typeof value === 'object' && value !== null && Object.values(value).every(item => typeof item === 'string')
const isList: Check = value => Array.isArray(value) && value.every(item => typeof item === 'string')
const isDuration: Check = value => typeof value === 'string' && parseGoDuration(value) !== undefined
const isCount: Check = value => Number.isInteger(value) && (value as number) >= 0

const isDurationWithin =
  (low: string, high?: string): Check =>
  value => {
    const ms = typeof value === 'string' ? parseGoDuration(value) : undefined
    return (
      ms !== undefined && ms >= parseGoDuration(low)! && (high === undefined || ms <= parseGoDuration(high)!)
    )
  }
const isWithin =
  (low: number, high = Number.POSITIVE_INFINITY): Check =>
  value =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high
const isQuantity: Check = value => {
  try {
    return typeof value === 'string' && !!Quantity.parse(value)
  } catch {
    return false
  }
}
const isCrashLoop: Check = value =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(
    ([name, period]) => name === 'maxContainerRestartPeriod' && isDurationWithin('1s', '300s')(period),
  )

const isUserNamespaces: Check = value =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(
    ([name, ids]) => name === 'idsPerPod' && isWithin(65_536, 2 ** 31)(ids) && (ids as number) % 65_536 === 0,
  )

const FIELDS: Record<keyof KubeletConfiguration, Check> = {
  port: isWithin(1, 65_535),
  evictionHard: isMap,
  evictionSoft: isMap,
  evictionSoftGracePeriod: isMap,
  evictionMinimumReclaim: isMap,
  mergeDefaultEvictionSettings: value => typeof value === 'boolean',
  evictionMaxPodGracePeriod: isCount,
  evictionPressureTransitionPeriod: isDuration,
  allowedUnsafeSysctls: isList,
  podPidsLimit: value => Number.isInteger(value) && (value as number) >= -1,
  crashLoopBackOff: isCrashLoop,
  containerLogMaxSize: isQuantity,
  containerLogMaxFiles: isWithin(2),
  containerLogMonitorInterval: isDurationWithin('3s'),
  imageGCHighThresholdPercent: isWithin(0, 100),
  imageGCLowThresholdPercent: isWithin(0, 100),
  imageMinimumGCAge: isDuration,
  imageMaximumGCAge: isDuration,
  maxParallelImagePulls: isWithin(1),
  staticPodPath: value => typeof value === 'string',
  shutdownGracePeriod: isDuration,
  shutdownGracePeriodCriticalPods: isDuration,
  userNamespaces: isUserNamespaces,
}

/** `file` is for the error. Throws PlainError that names what is wrong: a field without effect would be a trap. */
export function parseKubeletConfiguration(text: string, file: string): KubeletConfiguration {
  const { apiVersion, kind, ...fields } = readYaml(text, file)
  if (apiVersion !== API_VERSION || kind !== 'KubeletConfiguration')
    throw new PlainError(`${file} is no KubeletConfiguration: it must say apiVersion: ${API_VERSION}.`)
  for (const [name, value] of Object.entries(fields)) {
    const check = FIELDS[name as keyof KubeletConfiguration]
    if (!check)
      throw new PlainError(
        `${file}: the field ${name} is not known here; known are ${Object.keys(FIELDS).join(', ')}.`,
      )
    if (!check(value)) throw new PlainError(`${file}: ${name} cannot be ${JSON.stringify(value)}.`)
  }
  const configuration = fields as KubeletConfiguration
  const { evictionHard = {}, evictionSoft, evictionSoftGracePeriod, evictionMinimumReclaim } = configuration
  const problem = contradiction(configuration)
  if (problem) throw new PlainError(`${file}: ${problem}.`)
  try {
    parseThresholds(evictionHard, evictionSoft, evictionSoftGracePeriod, evictionMinimumReclaim)
  } catch (error) {
    throw new PlainError(`${file}: ${(error as Error).message}.`)
  }
  return configuration
}

/** Upstream: ValidateKubeletConfiguration. */
function contradiction(configuration: KubeletConfiguration): string | undefined {
  const {
    imageGCHighThresholdPercent: high = 100,
    imageGCLowThresholdPercent: low = Math.min(80, high - 1),
  } = configuration
  if (low >= high) return 'imageGCLowThresholdPercent must be less than imageGCHighThresholdPercent'
  const ms = (text = '0s') => parseGoDuration(text)!
  const [all, critical] = [
    ms(configuration.shutdownGracePeriod),
    ms(configuration.shutdownGracePeriodCriticalPods),
  ]
  if (critical > all) return 'shutdownGracePeriodCriticalPods must not be longer than shutdownGracePeriod'
  const tooShort = [all, critical].some(period => period > 0 && period < 1_000)
  return tooShort ? 'shutdown grace periods must be at least one second' : undefined
}

function readYaml(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch (error) {
    throw new PlainError(`${file} is no YAML: ${(error as Error).message}`)
  }
}
