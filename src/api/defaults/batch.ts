// Upstream: pkg/apis/batch/v1/defaults.go.
import type { CronJob, Job, JobSpec } from '../types/batch-v1.ts'
import { defaultPodSpec } from './pod-spec.ts'

export function defaultJob({ spec, metadata }: Job): void {
  defaultJobSpec(spec)
  const labels = spec.template.metadata?.labels
  if (labels && !metadata.labels) metadata.labels = { ...labels }
}

export function defaultCronJob({ spec }: CronJob): void {
  spec.concurrencyPolicy ||= 'Allow'
  spec.suspend ??= false
  spec.successfulJobsHistoryLimit ??= 3
  spec.failedJobsHistoryLimit ??= 1
  defaultPodSpec(spec.jobTemplate.spec.template.spec)
}

function defaultJobSpec(spec: JobSpec): void {
  defaultPodSpec(spec.template.spec)
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  if (spec.backoffLimit === undefined)
    spec.backoffLimit = spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True'
  }
}
