// Specs of Jobs and of the Jobs that CronJobs make. Upstream: validateJobSpec.
import type { JobSpec } from '../../types/batch-v1.ts'
import {
  type FieldError,
  invalidValue,
  nonNegative,
  notSupported,
  required,
  tooLong,
} from '../field-error.ts'
import { internalForm } from '../internal-json.ts'
import { validateTemplate } from '../pod-template.ts'
import { validateDomainPrefixedPath } from './domain-prefixed-path.ts'
import { validatePodFailurePolicy, validateSuccessPolicy } from './job-policies.ts'

const MOST_PARALLEL = 100_000
const MOST_FAILED_INDEXES = 100_000
const MANY_COMPLETIONS = 100_000
/** With very many completions and a limit per index the status must stay small. */
const MOST_WITH_MANY = 10_000
const LONGEST_MANAGER = 63

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
] as const

export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const indexed = spec.completionMode === 'Indexed'
  return [
    ...COUNTS.flatMap(name => nonNegative(`${path}.${name}`, spec[name])),
    ...validateMaxFailed(spec, path),
    ...validateManagedBy(spec.managedBy, `${path}.managedBy`),
    ...validateMode(spec, path),
    ...(indexed ? validateIndexed(spec, path) : refuseLimitsPerIndex(spec, path)),
    ...(spec.podFailurePolicy ? validatePodFailurePolicy(spec, `${path}.podFailurePolicy`) : []),
    ...(spec.successPolicy ? validateSuccess(spec, indexed, `${path}.successPolicy`) : []),
    ...validateReplacement(spec, `${path}.podReplacementPolicy`),
    ...validateTemplate(spec.template, `${path}.template`),
    ...validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`),
  ]
}

function validateMaxFailed({ maxFailedIndexes, backoffLimitPerIndex }: JobSpec, path: string): FieldError[] {
  if (maxFailedIndexes === undefined) return []
  return [
    ...nonNegative(`${path}.maxFailedIndexes`, maxFailedIndexes),
    ...(backoffLimitPerIndex === undefined
      ? [required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified')]
      : []),
  ]
}

function validateManagedBy(managedBy: string | undefined, path: string): FieldError[] {
  if (managedBy === undefined) return []
  const errors = validateDomainPrefixedPath(managedBy, path)
  return managedBy.length > LONGEST_MANAGER ? [...errors, tooLong(path, LONGEST_MANAGER)] : errors
}

function validateMode({ completionMode }: JobSpec, path: string): FieldError[] {
  const modes = ['NonIndexed', 'Indexed']
  return completionMode === undefined || modes.includes(completionMode)
    ? []
    : [notSupported(`${path}.completionMode`, completionMode, modes)]
}

function validateIndexed(spec: JobSpec, path: string): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes: maxFailed, backoffLimitPerIndex } = spec
  const errors: FieldError[] = []
  const parallel = (detail: string) => errors.push(invalidValue(`${path}.parallelism`, parallelism, detail))
  const failed = (detail: string) => errors.push(invalidValue(`${path}.maxFailedIndexes`, maxFailed, detail))
  if (completions === undefined) {
    errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  }
  if (parallelism > MOST_PARALLEL) {
    parallel(`must be less than or equal to ${MOST_PARALLEL} when completion mode is Indexed`)
  }
  if (completions !== undefined && maxFailed !== undefined && maxFailed > completions) {
    failed('must be less than or equal to completions')
  }
  if ((maxFailed ?? 0) > MOST_FAILED_INDEXES) failed(`must be less than or equal to ${MOST_FAILED_INDEXES}`)
  if ((completions ?? 0) > MANY_COMPLETIONS && backoffLimitPerIndex !== undefined) {
    if (maxFailed === undefined) {
      const detail = `must be specified when completions is above ${MANY_COMPLETIONS}`
      errors.push(required(`${path}.maxFailedIndexes`, detail))
    }
    const detail = `must be less than or equal to ${MOST_WITH_MANY} when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`
    if (parallelism > MOST_WITH_MANY) parallel(detail)
    if ((maxFailed ?? 0) > MOST_WITH_MANY) failed(detail)
  }
  return errors
}

function refuseLimitsPerIndex(spec: JobSpec, path: string): FieldError[] {
  if (spec.completionMode !== undefined && spec.completionMode !== 'NonIndexed') return []
  return (['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
    .filter(name => spec[name] !== undefined)
    .map(name => invalidValue(`${path}.${name}`, spec[name], 'requires indexed completion mode'))
}

function validateSuccess(spec: JobSpec, indexed: boolean, path: string): FieldError[] {
  if (indexed) return spec.completions === undefined ? [] : validateSuccessPolicy(spec, path)
  const shown = internalForm('batch/v1.SuccessPolicy', { ...spec.successPolicy })
  return [invalidValue(path, shown, 'requires indexed completion mode')]
}

function validateReplacement(
  { podReplacementPolicy, podFailurePolicy }: JobSpec,
  path: string,
): FieldError[] {
  if (podReplacementPolicy === undefined) return []
  const valid = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  return valid.includes(podReplacementPolicy) ? [] : [notSupported(path, podReplacementPolicy, valid)]
}

function validateRestartPolicy({ template, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  const { restartPolicy } = template.spec
  if (!restartPolicy || restartPolicy === 'Always') {
    return [required(path, 'valid values: "OnFailure", "Never"')]
  }
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never') {
    return [notSupported(path, restartPolicy, ['OnFailure', 'Never'])]
  }
  if (!podFailurePolicy || restartPolicy === 'Never') return []
  return [invalidValue(path, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')]
}
