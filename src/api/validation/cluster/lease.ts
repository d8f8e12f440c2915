// Leases. Upstream: pkg/apis/coordination/validation ValidateLeaseSpec.
import { isQualifiedName } from '../../names.ts'
import type { Lease } from '../../types/coordination-v1.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  NEGATIVE,
  notSupported,
} from '../field-error.ts'
import type { Validator } from '../validator.ts'

const STRATEGIES = ['OldestEmulationVersion']

function validateLease({ spec }: Lease): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec ?? {}
  const errors: FieldError[] = []
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0)
    errors.push(invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'))
  if (leaseTransitions !== undefined && leaseTransitions < 0)
    errors.push(invalidValue('spec.leaseTransitions', leaseTransitions, NEGATIVE))
  if (strategy !== undefined) errors.push(...validateStrategy(strategy))
  if (preferredHolder && !strategy) {
    const detail = 'may only be specified if `strategy` is defined'
    errors.push(forbiddenField('spec.preferredHolder', detail))
  }
  return errors
}

/** Upstream names the field twice. */
function validateStrategy(strategy: string): FieldError[] {
  const path = 'spec.strategy.strategy'
  if (strategy.includes('/')) return each(path, strategy, isQualifiedName)
  return STRATEGIES.includes(strategy) ? [] : [notSupported(path, strategy, STRATEGIES)]
}

export const leaseValidator: Validator = { create: validateLease }
