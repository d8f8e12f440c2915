// Upstream: ValidateJob, ValidateJobUpdate in pkg/apis/batch/validation.
import { isDns1123Label } from '../../names.ts'
import type { Job, JobSpec } from '../../types/batch-v1.ts'
import type { Container, PodTemplateSpec } from '../../types/core-v1.ts'
import { type FieldError, immutable, invalidValue, required, same } from '../field-error.ts'
import { internalForm } from '../internal-json.ts'
import { validateLabelSelector } from '../label-selector.ts'
import { matcherIfValid, validateTemplateLabels } from '../pod-template.ts'
import type { Validator } from '../validator.ts'
import { validateJobSpec } from './job-spec.ts'
import { validateJobStatusUpdate } from './job-status.ts'

const LEGACY_UID = 'controller-uid'
const LEGACY_NAME = 'job-name'
const UID = 'batch.kubernetes.io/controller-uid'
const NAME = 'batch.kubernetes.io/job-name'

function validateJob(job: Job): FieldError[] {
  const { spec } = job
  const selects = matcherIfValid(spec.selector)
  return [
    ...validateGeneratedSelector(job),
    ...validateJobSpec(spec, 'spec'),
    ...(spec.selector ? validateLabelSelector(spec.selector, 'spec.selector') : [required('spec.selector')]),
    ...(selects ? validateTemplateLabels(spec.template, selects) : []),
    ...validateHostname(job),
  ]
}

/** The Job's uid must pick out its Pods, unless the author takes care of that. */
function validateGeneratedSelector({ metadata: { uid, name }, spec }: Job): FieldError[] {
  if (spec.manualSelector || !spec.selector) return []
  const expected = { [LEGACY_UID]: uid, [LEGACY_NAME]: name, [UID]: uid, [NAME]: name }
  const errors = Object.entries(expected).flatMap(([key, value]) => mustHaveLabel(spec.template, key, value))
  const selects = matcherIfValid(spec.selector)
  return selects && !selects(expected)
    ? [...errors, invalidValue('spec.selector', spec.selector, '`selector` not auto-generated')]
    : errors
}

/** Upstream: ValidateHasLabel. */
function mustHaveLabel({ metadata }: PodTemplateSpec, key: string, value: string): FieldError[] {
  const field = `spec.template.metadata.labels[${key}]`
  const actual = metadata?.labels?.[key]
  if (actual === value) return []
  const detail = `must be '${value}'`
  return [actual === undefined ? required(field, detail) : invalidValue(field, metadata?.labels, detail)]
}

/** Pods of an Indexed Job have the index in their host names. */
function validateHostname({ metadata: { name }, spec }: Job): FieldError[] {
  if (spec.completionMode !== 'Indexed' || !spec.completions) return []
  const longest = `${name}-${spec.completions - 1}`
  if (isDns1123Label(longest).length === 0) return []
  const detail = `will not able to create pod with invalid DNS label: ${longest}`
  return [invalidValue('metadata.name', name, detail)]
}

function validateUpdate(job: Job, old: Job): FieldError[] {
  const { spec } = job
  return [
    ...validateCompletions(spec, old.spec),
    ...immutable('spec.selector', spec.selector, old.spec.selector),
    ...validateTemplateUpdate(job, old),
    ...immutable('spec.completionMode', spec.completionMode, old.spec.completionMode),
    ...immutableStruct('podFailurePolicy', 'PodFailurePolicy', spec, old.spec),
    ...immutable('spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, old.spec.backoffLimitPerIndex),
    ...immutable('spec.managedBy', spec.managedBy, old.spec.managedBy),
    ...immutableStruct('successPolicy', 'SuccessPolicy', spec, old.spec),
  ]
}

function immutableStruct(
  name: 'podFailurePolicy' | 'successPolicy',
  type: string,
  spec: JobSpec,
  old: JobSpec,
): FieldError[] {
  if (same(spec[name], old[name])) return []
  const shown = spec[name] && internalForm(`batch/v1.${type}`, { ...spec[name] })
  return [invalidValue(`spec.${name}`, shown, 'field is immutable')]
}

/** Indexed Jobs are elastic: completions change together with parallelism. */
function validateCompletions(spec: JobSpec, old: JobSpec): FieldError[] {
  const field = 'spec.completions'
  if (spec.completionMode !== 'Indexed') return immutable(field, spec.completions, old.completions)
  if (spec.completions === old.completions || spec.completions === undefined) return []
  if (spec.completions === spec.parallelism) return []
  return [invalidValue(field, spec.completions, 'can only be modified in tandem with spec.parallelism')]
}

/**
 * Where its Pods run, and with what resources, may be changed while a Job is suspended and none of them runs.
 * KEP-2926, KEP-5440.
 */
function validateTemplateUpdate({ spec }: Job, old: Job): FieldError[] {
  const before = withMutable(old, spec.template)
  if (same(spec.template, before)) return []
  const { metadata, spec: podSpec } = spec.template
  // Go writes the fields of an embedded struct beside the others.
  const shown = { ...metadata, Spec: internalForm('core/v1.PodSpec', { ...podSpec }) }
  return [invalidValue('spec.template', shown, 'field is immutable')]
}

/** The old template with whatever of the new one may change. */
function withMutable({ spec, status }: Job, template: PodTemplateSpec): PodTemplateSpec {
  if (!spec.suspend) return spec.template
  const isQuiet =
    (status.active ?? 0) === 0 &&
    status.conditions?.some(({ type, status }) => type === 'Suspended' && status === 'True') === true
  const moved =
    status.startTime === undefined || isQuiet ? withPlacement(spec.template, template) : spec.template
  return isQuiet ? withResources(moved, template) : moved
}

function withPlacement(old: PodTemplateSpec, template: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, tolerations, schedulingGates, affinity } = template.spec
  const { nodeAffinity: _, ...others } = old.spec.affinity ?? {}
  const nodeAffinity = affinity?.nodeAffinity
  const merged = { ...others, ...(nodeAffinity && { nodeAffinity }) }
  const hasAffinity = affinity !== undefined || Object.keys(others).length > 0
  const spec: Record<string, unknown> = {
    ...old.spec,
    nodeSelector,
    tolerations,
    schedulingGates,
    affinity: hasAffinity ? merged : undefined,
  }
  const { labels, annotations } = template.metadata ?? {}
  return { metadata: { ...old.metadata, labels, annotations }, spec } as unknown as PodTemplateSpec
}

function withResources(old: PodTemplateSpec, template: PodTemplateSpec): PodTemplateSpec {
  const taken = (list: readonly Container[] = [], from: readonly Container[] = []) =>
    list.map((container, index) => ({
      ...container,
      resources: from[index]?.resources ?? container.resources,
    }))
  const { containers, initContainers } = template.spec
  const spec = {
    ...old.spec,
    containers: taken(old.spec.containers, containers),
    ...(old.spec.initContainers && { initContainers: taken(old.spec.initContainers, initContainers) }),
  }
  return { ...old, spec }
}

export const jobValidator: Validator = {
  create: validateJob,
  update: validateUpdate,
  subresources: { status: validateJobStatusUpdate },
}
