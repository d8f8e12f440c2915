// What can be set of the autoscaler controller. Names and defaults are those of upstream's flags.
import type { Readiness } from './group-pods.ts'

export interface AutoscalerSettings {
  /** --horizontal-pod-autoscaler-sync-period, in milliseconds. */
  syncPeriodMs: number
  /** --horizontal-pod-autoscaler-downscale-stabilization, in milliseconds. */
  downscaleStabilizationMs: number
  /** --horizontal-pod-autoscaler-tolerance: a part of the target. */
  tolerance: number
  /** --horizontal-pod-autoscaler-cpu-initialization-period, --horizontal-pod-autoscaler-initial-readiness-delay. */
  readiness: Readiness
}

export const usualAutoscalerSettings: AutoscalerSettings = {
  syncPeriodMs: 15_000,
  downscaleStabilizationMs: 300_000,
  tolerance: 0.1,
  readiness: { cpuInitializationMs: 300_000, initialReadinessDelayMs: 30_000 },
}
