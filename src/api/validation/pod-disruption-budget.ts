// Upstream: pkg/apis/policy/validation.
import type { PodDisruptionBudget } from '../types/policy-v1.ts'
import type { IntOrString } from '../types/scalars.ts'
import { type FieldError, invalidValue, nonNegative, notSupported } from './field-error.ts'
import { atMostAll, validateIntOrPercent } from './int-or-percent.ts'
import { internalForm } from './internal-json.ts'
import { validateLabelSelector } from './label-selector.ts'
import { validateObjectMetaUpdate } from './object-meta.ts'
import type { Validator } from './validator.ts'

const POLICIES = ['AlwaysAllow', 'IfHealthyBudget']
const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const

function validateBudget({ spec }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec
  const errors: FieldError[] = []
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = internalForm('policy/v1.PodDisruptionBudgetSpec', { ...spec })
    errors.push(invalidValue('spec', shown, 'minAvailable and maxUnavailable cannot be both set'))
  }
  errors.push(...validateShare(minAvailable, 'spec.minAvailable'))
  errors.push(...validateShare(maxUnavailable, 'spec.maxUnavailable'))
  errors.push(...validateLabelSelector(spec.selector, 'spec.selector'))
  if (policy !== undefined && !POLICIES.includes(policy))
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, POLICIES))
  return errors
}

const validateShare = (value: IntOrString | undefined, field: string): FieldError[] =>
  value === undefined ? [] : [...validateIntOrPercent(value, field), ...atMostAll(value, field)]

export const podDisruptionBudgetValidator: Validator = {
  create: validateBudget,
  subresources: {
    status: (budget: PodDisruptionBudget, old: PodDisruptionBudget) => [
      ...validateObjectMetaUpdate(budget.metadata, old.metadata),
      ...COUNTS.flatMap(name => nonNegative(`status.${name}`, budget.status[name])),
    ],
  },
}
