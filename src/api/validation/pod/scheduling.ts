// What a spec says about where and when the Pod is to be scheduled, besides affinity. Upstream: ValidateTolerations,
// validateTopologySpreadConstraints, validateSchedulingGates.
import { isLabelValue, isQualifiedName } from '../../names.ts'
import type { PodSchedulingGate, Toleration, TopologySpreadConstraint } from '../../types/core-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  invalidValue,
  notSupported,
  positive,
  required,
} from '../field-error.ts'
import { validateLabelSelector } from '../label-selector.ts'
import { validateLabelKeys } from './affinity.ts'

export function validateGates(gates: readonly PodSchedulingGate[], path: string): FieldError[] {
  const seen = new Set<string>()
  return gates.flatMap(({ name }, index) => {
    const errors = each(`${path}[${index}]`, name, isQualifiedName)
    if (seen.has(name)) errors.push(duplicate(`${path}[${index}]`, name))
    seen.add(name)
    return errors
  })
}

const WHEN_UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway']
const INCLUSION = ['Honor', 'Ignore']

export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
): FieldError[] {
  return constraints.flatMap((constraint, index) => {
    const at = `${path}[${index}]`
    const { topologyKey, whenUnsatisfiable, labelSelector } = constraint
    const repeated = constraints
      .slice(index + 1)
      .some(other => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    return [
      ...positive(`${at}.maxSkew`, constraint.maxSkew),
      ...(topologyKey ? [] : [required(`${at}.topologyKey`, 'can not be empty')]),
      ...(WHEN_UNSATISFIABLE.includes(whenUnsatisfiable)
        ? []
        : [notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, WHEN_UNSATISFIABLE)]),
      ...(repeated
        ? [duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`)]
        : []),
      ...validateMinDomains(constraint, `${at}.minDomains`),
      ...validateInclusion(constraint.nodeAffinityPolicy, `${at}.nodeAffinityPolicy`),
      ...validateInclusion(constraint.nodeTaintsPolicy, `${at}.nodeTaintsPolicy`),
      ...validateLabelKeys(at, constraint.matchLabelKeys ?? [], [], labelSelector),
      ...validateLabelSelector(labelSelector, `${at}.labelSelector`),
    ]
  })
}

function validateMinDomains(
  { minDomains, whenUnsatisfiable }: TopologySpreadConstraint,
  path: string,
): FieldError[] {
  if (minDomains === undefined) return []
  const errors = positive(path, minDomains)
  if (whenUnsatisfiable === 'DoNotSchedule') return errors
  const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`
  return [...errors, invalidValue(path, minDomains, detail)]
}

const validateInclusion = (policy: string | undefined, path: string): FieldError[] =>
  policy === undefined || INCLUSION.includes(policy) ? [] : [notSupported(path, policy, INCLUSION)]

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function validateTolerations(list: readonly Toleration[], path: string): FieldError[] {
  return list.flatMap((toleration, index) => {
    const at = `${path}[${index}]`
    const { key, operator, effect = '', tolerationSeconds } = toleration
    const errors = key ? each(`${at}.key`, key, isQualifiedName) : []
    if (!key && operator !== 'Exists') {
      const detail =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      errors.push(invalidValue(`${at}.operator`, operator ?? '', detail))
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
      errors.push(invalidValue(`${at}.effect`, effect, detail))
    }
    errors.push(...operatorErrors(toleration, `${at}.operator`))
    return [...errors, ...validateTaintEffect(effect, true, `${at}.effect`)]
  })
}

function operatorErrors({ operator, value = '' }: Toleration, path: string): FieldError[] {
  switch (operator) {
    case undefined:
    // @ts-expect-error the empty text means the same
    case '':
    case 'Equal': {
      const problems = isLabelValue(value)
      return problems.length > 0 ? [invalidValue(path, value, problems.join(';'))] : []
    }
    case 'Exists':
      return value ? [invalidValue(path, value, "value must be empty when `operator` is 'Exists'")] : []
    // Comparing numbers comes with a gate that is off.
    case 'Lt':
    case 'Gt':
      return [notSupported(path, operator, ['Equal', 'Exists', 'Lt', 'Gt'])]
    default:
      return [notSupported(path, operator, ['Equal', 'Exists'])]
  }
}

export function validateTaintEffect(effect: string, mayBeEmpty: boolean, path: string): FieldError[] {
  if (!effect) return mayBeEmpty ? [] : [required(path)]
  return EFFECTS.includes(effect) ? [] : [notSupported(path, effect, EFFECTS)]
}
