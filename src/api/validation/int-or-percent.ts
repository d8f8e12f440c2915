// Counts that may be percentages. Upstream: ValidatePositiveIntOrPercent and IsNotMoreThan100Percent.
import { isPercent } from '../names.ts'
import type { IntOrString } from '../types/scalars.ts'
import { type FieldError, invalidValue, NEGATIVE } from './field-error.ts'

export function validateIntOrPercent(value: IntOrString, field: string): FieldError[] {
  if (typeof value === 'string') return isPercent(value).map(detail => invalidValue(field, value, detail))
  return value < 0 ? [invalidValue(field, value, NEGATIVE)] : []
}

export function atMostAll(value: IntOrString, field: string): FieldError[] {
  return typeof value === 'string' && percentOf(value) > 100
    ? [invalidValue(field, value, 'must not be greater than 100%')]
    : []
}

/** The number, of a percentage too; 0 for text that is none. Upstream: getIntOrPercentValue. */
export const numberOf = (value: IntOrString): number => (typeof value === 'string' ? percentOf(value) : value)

const percentOf = (text: string): number => (isPercent(text).length > 0 ? 0 : Number(text.slice(0, -1)))
