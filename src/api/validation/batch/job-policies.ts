// Rules on which Pods fail or complete a Job early. Upstream: validatePodFailurePolicy, validateSuccessPolicy.
import { isQualifiedName } from '../../names.ts'
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from '../../types/batch-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  goQuote,
  invalidValue,
  nonNegative,
  notSupported,
  OMITTED,
  required,
  tooLong,
  tooMany,
} from '../field-error.ts'
import { countIndexes, IndexesError } from './index-intervals.ts'

const MOST_RULES = 20
const MOST_EXIT_CODES = 255
const MOST_PATTERNS = 20
const LONGEST_INDEXES = 64 * 1024
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const OPERATORS = ['In', 'NotIn']
const STATUSES = ['False', 'True', 'Unknown']

const validValues = (valid: readonly string[]) => `valid values: [${valid.map(goQuote).join(' ')}]`

function oneOf(field: string, value: string | undefined, valid: readonly string[]): FieldError[] {
  if (!value) return [required(field, validValues(valid))]
  return valid.includes(value) ? [] : [notSupported(field, value, valid)]
}

export function validatePodFailurePolicy(spec: JobSpec, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? []
  const { containers, initContainers = [] } = spec.template.spec
  const names = new Set([...containers, ...initContainers].map(({ name }) => name))
  return [
    ...(rules.length > MOST_RULES ? [tooMany(`${path}.rules`, rules.length, MOST_RULES)] : []),
    ...rules.flatMap((rule, index) => validateFailureRule(spec, rule, `${path}.rules[${index}]`, names)),
  ]
}

function validateFailureRule(
  spec: JobSpec,
  { action, onExitCodes, onPodConditions = [] }: PodFailurePolicyRule,
  path: string,
  containerNames: ReadonlySet<string>,
): FieldError[] {
  const errors =
    action !== 'FailIndex'
      ? oneOf(`${path}.action`, action, ACTIONS)
      : spec.backoffLimitPerIndex === undefined
        ? [invalidValue(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set')]
        : []
  if (onExitCodes) errors.push(...validateExitCodes(onExitCodes, `${path}.onExitCodes`, containerNames))
  if (onPodConditions.length > 0) {
    errors.push(...validatePatterns(onPodConditions, `${path}.onPodConditions`))
    if (onExitCodes) {
      const detail = 'specifying both OnExitCodes and OnPodConditions is not supported'
      errors.push(invalidValue(path, OMITTED, detail))
    }
  } else if (!onExitCodes) {
    const detail = 'specifying one of OnExitCodes and OnPodConditions is required'
    errors.push(invalidValue(path, OMITTED, detail))
  }
  return errors
}

function validatePatterns(
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
  path: string,
): FieldError[] {
  return [
    ...(patterns.length > MOST_PATTERNS ? [tooMany(path, patterns.length, MOST_PATTERNS)] : []),
    ...patterns.flatMap(({ type, status }, index) => [
      ...each(`${path}[${index}].type`, type, isQualifiedName),
      ...oneOf(`${path}[${index}].status`, status, STATUSES),
    ]),
  ]
}

function validateExitCodes(
  { containerName, operator, values = [] }: PodFailurePolicyOnExitCodesRequirement,
  path: string,
  containerNames: ReadonlySet<string>,
): FieldError[] {
  const errors = oneOf(`${path}.operator`, operator, OPERATORS)
  if (containerName !== undefined && !containerNames.has(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template'
    errors.push(invalidValue(`${path}.containerName`, containerName, detail))
  }
  if (values.length === 0)
    errors.push(invalidValue(`${path}.values`, values, 'at least one value is required'))
  if (values.length > MOST_EXIT_CODES) {
    errors.push(tooMany(`${path}.values`, values.length, MOST_EXIT_CODES))
  }
  const seen = new Set<number>()
  for (const [index, value] of values.entries()) {
    const field = `${path}.values[${index}]`
    if (operator === 'In' && value === 0) {
      errors.push(invalidValue(field, value, 'must not be 0 for the In operator'))
    }
    if (seen.has(value)) errors.push(duplicate(field, value))
    seen.add(value)
  }
  const isOrdered = values.every((value, index) => index === 0 || values[index - 1]! <= value)
  return isOrdered ? errors : [...errors, invalidValue(`${path}.values`, values, 'must be ordered')]
}

/** Of Indexed Jobs, whose completions are given. */
export function validateSuccessPolicy(
  { successPolicy, completions = 0 }: JobSpec,
  path: string,
): FieldError[] {
  const rules = successPolicy?.rules ?? []
  const errors: FieldError[] = []
  if (rules.length === 0) {
    const detail = 'at least one rules must be specified when the successPolicy is specified'
    errors.push(required(`${path}.rules`, detail))
  }
  if (rules.length > MOST_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MOST_RULES))
  return [
    ...errors,
    ...rules.flatMap((rule, index) => validateSuccessRule(rule, completions, `${path}.rules[${index}]`)),
  ]
}

function validateSuccessRule(
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  completions: number,
  path: string,
): FieldError[] {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    return [required(path, 'at least one of succeededCount or succeededIndexes must be specified')]
  }
  const errors: FieldError[] = []
  let named = 0
  if (succeededIndexes !== undefined) {
    const field = `${path}.succeededIndexes`
    if (succeededIndexes.length > LONGEST_INDEXES) errors.push(tooLong(field, LONGEST_INDEXES))
    try {
      named = countIndexes(succeededIndexes, completions)
    } catch (error) {
      if (!(error instanceof IndexesError)) throw error
      const detail = `error parsing succeededIndexes: ${error.message}`
      errors.push(invalidValue(field, succeededIndexes, detail))
    }
  }
  if (succeededCount === undefined) return errors
  const field = `${path}.succeededCount`
  errors.push(...nonNegative(field, succeededCount))
  if (succeededCount > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`
    errors.push(invalidValue(field, succeededCount, detail))
  }
  if (succeededIndexes !== undefined && succeededCount > named) {
    const detail = `must be less than or equal to ${named} (the number of indexes in the specified succeededIndexes field)`
    errors.push(invalidValue(field, succeededCount, detail))
  }
  return errors
}
