// Pod templates in the workload kinds, their selectors and counts. Upstream: pkg/apis/{apps,batch}/validation.
import { isDeepStrictEqual } from 'node:util'
import { matcherOf } from '../labels.ts'
import type { PodTemplateSpec } from '../types/core-v1.ts'
import type { LabelSelector } from '../types/meta-v1.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from './field-error.ts'
import { validateAnnotations, validateLabels } from './object-meta.ts'
import { validatePodSpec } from './pod/pod-spec.ts'
import type { Validator } from './validator.ts'

interface Workload {
  spec: { selector?: LabelSelector; template: PodTemplateSpec; replicas?: number }
}

/** Everything wrong with a template's own metadata and spec. */
export function validateTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  return [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...validatePodSpec(template.spec, `${path}.spec`),
    ...((template.spec.ephemeralContainers ?? []).length > 0
      ? [
          forbiddenField(
            `${path}.spec.ephemeralContainers`,
            'ephemeral containers not allowed in pod template',
          ),
        ]
      : []),
  ]
}

function validateReplicated({ spec }: Workload): FieldError[] {
  const errors: FieldError[] = []
  if ((spec.replicas ?? 0) < 0)
    errors.push(invalidValue('spec.replicas', spec.replicas, 'must be greater than or equal to 0'))
  if (!spec.selector) errors.push(required('spec.selector'))
  else {
    if (isEmpty(spec.selector))
      errors.push(invalidValue('spec.selector', spec.selector, 'empty selector is invalid for deployment'))
    if (!matcherOf(spec.selector)(spec.template.metadata?.labels)) {
      const labels = spec.template.metadata?.labels ?? null
      errors.push(
        invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
      )
    }
  }
  errors.push(...validateTemplate(spec.template, 'spec.template'))
  const policy = spec.template.spec.restartPolicy
  if (policy !== 'Always')
    errors.push(notSupported('spec.template.spec.restartPolicy', policy ?? '', ['Always']))
  if (spec.template.spec.activeDeadlineSeconds !== undefined) {
    errors.push(
      forbiddenField(
        'spec.template.spec.activeDeadlineSeconds',
        'activeDeadlineSeconds in ReplicaSet is not Supported',
      ),
    )
  }
  return errors
}

const isEmpty = (selector: LabelSelector) =>
  Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0

function selectorStays(after: Workload, before: Workload): FieldError[] {
  return isDeepStrictEqual(after.spec.selector, before.spec.selector)
    ? []
    : [invalidValue('spec.selector', after.spec.selector ?? null, 'field is immutable')]
}

function validateJob({ spec }: Workload, path = 'spec'): FieldError[] {
  const errors = validateTemplate(spec.template, `${path}.template`)
  const policy = spec.template.spec.restartPolicy
  const field = `${path}.template.spec.restartPolicy`
  if (!policy || policy === 'Always') errors.push(required(field, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never')
    errors.push(notSupported(field, policy, ['OnFailure', 'Never']))
  const counts = spec as unknown as Record<string, number | undefined>
  for (const name of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
  ]) {
    if ((counts[name] ?? 0) < 0)
      errors.push(invalidValue(`${path}.${name}`, counts[name], 'must be greater than or equal to 0'))
  }
  return errors
}

interface CronJobLike {
  spec: { schedule: string; jobTemplate: Workload }
}

function validateCronJob({ spec }: CronJobLike): FieldError[] {
  const schedule = spec.schedule ? [] : [required('spec.schedule')]
  return [...schedule, ...validateJob(spec.jobTemplate, 'spec.jobTemplate.spec')]
}

const replicated: Validator = { create: validateReplicated, update: selectorStays }

export const templateChecks: Record<string, Validator> = {
  'apps/Deployment': replicated,
  'apps/ReplicaSet': replicated,
  'apps/StatefulSet': replicated,
  'apps/DaemonSet': replicated,
  'batch/Job': { create: (job: Workload) => validateJob(job) },
  'batch/CronJob': { create: validateCronJob },
}
