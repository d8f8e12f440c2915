// What a KubeletConfiguration means to the parts of the kubelet: its texts as values, its gaps filled with defaults.
import { parseGoDuration } from '../../api/duration.ts'
import { Quantity } from '../../api/quantity.ts'
import { DEFAULT_HARD, parseThresholds, type Threshold } from '../eviction/threshold.ts'
import type { ImagePolicy } from '../images/choose-images.ts'
import { defaultImagePolicy } from '../images/image-collector.ts'
import { defaultLogLimits, type LogLimits } from '../logs/log-rotation.ts'
import { type BackOffLimits, defaultBackOffLimits } from '../pod-worker/crash-back-off.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'

const duration = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : parseGoDuration(text)!

/** Upstream: newCrashLoopBackOff. */
export function backOffLimits({ crashLoopBackOff }: KubeletConfiguration): BackOffLimits {
  const maxMs = duration(crashLoopBackOff?.maxContainerRestartPeriod, defaultBackOffLimits.maxMs)
  return { initialMs: Math.min(defaultBackOffLimits.initialMs, maxMs), maxMs }
}

export function logLimits(configuration: KubeletConfiguration): LogLimits {
  const { containerLogMaxSize, containerLogMaxFiles, containerLogMonitorInterval } = configuration
  return {
    maxBytes:
      containerLogMaxSize === undefined
        ? defaultLogLimits.maxBytes
        : Quantity.parse(containerLogMaxSize).value(),
    maxFiles: containerLogMaxFiles ?? defaultLogLimits.maxFiles,
    everyMs: duration(containerLogMonitorInterval, defaultLogLimits.everyMs),
  }
}

/** Throws Error with upstream's words. Upstream: mergeDefaultEvictionSettings, ParseThresholdConfig. */
export function evictionThresholds(configuration: KubeletConfiguration): Threshold[] {
  const { evictionHard, evictionSoft, evictionSoftGracePeriod, evictionMinimumReclaim } = configuration
  const hard = configuration.mergeDefaultEvictionSettings
    ? { ...DEFAULT_HARD, ...evictionHard }
    : (evictionHard ?? DEFAULT_HARD)
  return parseThresholds(hard, evictionSoft, evictionSoftGracePeriod, evictionMinimumReclaim)
}

export function imagePolicy(configuration: KubeletConfiguration): ImagePolicy {
  const { imageGCHighThresholdPercent, imageGCLowThresholdPercent } = configuration
  const highPercent = imageGCHighThresholdPercent ?? defaultImagePolicy.highPercent
  return {
    highPercent,
    lowPercent: imageGCLowThresholdPercent ?? Math.min(defaultImagePolicy.lowPercent, highPercent - 1),
    minimumAgeMs: duration(configuration.imageMinimumGCAge, defaultImagePolicy.minimumAgeMs),
    maximumAgeMs: duration(configuration.imageMaximumGCAge, defaultImagePolicy.maximumAgeMs),
  }
}

export interface ShutdownGrace {
  /** For everything together. */
  allMs: number
  /** Of it, what only critical pods have. */
  criticalMs: number
}

/** Undefined: the node's shutdown does not end its pods for good. */
export function shutdownGrace(configuration: KubeletConfiguration): ShutdownGrace | undefined {
  const allMs = duration(configuration.shutdownGracePeriod, 0)
  if (allMs === 0) return undefined
  return { allMs, criticalMs: duration(configuration.shutdownGracePeriodCriticalPods, 0) }
}
