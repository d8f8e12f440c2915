// How much of a capacity a claim may ask for at once, where many share a device. Upstream: pkg/apis/resource/validation
// validateRequestPolicy (KEP-5075).
import { Quantity } from '../../quantity.ts'
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  DeviceCapacity,
} from '../../types/resource-v1.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
  tooMany,
} from '../field-error.ts'

const MOST_VALUES = 10

export function validateCapacity(
  { value, requestPolicy }: DeviceCapacity,
  path: string,
  isShared: boolean,
): FieldError[] {
  if (!requestPolicy) return []
  const at = `${path}.requestPolicy`
  if (!isShared) return [forbiddenField(at, 'allowMultipleAllocations must be true')]
  return validatePolicy(requestPolicy, Quantity.parse(value), at)
}

function validatePolicy(policy: CapacityRequestPolicy, most: Quantity, path: string): FieldError[] {
  const { validValues = [], validRange } = policy
  if (validValues.length > 0 && validRange) {
    const detail =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
    return [forbiddenField(path, detail)]
  }
  const kind = validValues.length > 0 ? 'validValues' : validRange ? 'validRange' : undefined
  if (!kind) return []
  if (policy.default === undefined || policy.default === null)
    return [required(`${path}.default`, `required when ${kind} is defined`)]
  const usual = Quantity.parse(policy.default)
  return validRange
    ? validateRange(validRange, usual, most, `${path}.validRange`)
    : validateValues(
        validValues.map(text => Quantity.parse(text)),
        usual,
        most,
        `${path}.validValues`,
      )
}

function validateValues(
  values: readonly Quantity[],
  usual: Quantity,
  most: Quantity,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  for (const [index, value] of values.entries()) {
    const before = values[index - 1]
    if (before && before.compare(value) > 0)
      errors.push(
        invalidValue(`${path}[${index}]`, String(value), 'values must be sorted in ascending order'),
      )
  }
  if (values.length > MOST_VALUES) return [...errors, tooMany(path, values.length, MOST_VALUES)]
  for (const [index, value] of values.entries()) {
    if (value.compare(most) > 0)
      errors.push(
        invalidValue(`${path}[${index}]`, String(value), `option is larger than capacity value: ${most}`),
      )
  }
  for (const [index, value] of values.entries()) {
    if (values.findIndex(other => other.value() === value.value()) < index)
      errors.push(duplicate(`${path}[${index}]`, String(value.value())))
  }
  if (values.some(value => value.compare(usual) === 0)) return errors
  const detail = 'default value is not valid according to the requestPolicy'
  return [...errors, invalidValue(path, String(usual), detail)]
}

function validateRange(
  { min, max, step }: CapacityRequestPolicyRange,
  usual: Quantity,
  most: Quantity,
  path: string,
): FieldError[] {
  if (min === undefined) return [required(`${path}.min`, 'required when validRange is defined')]
  const least = Quantity.parse(min)
  const largest = max === undefined ? undefined : Quantity.parse(max)
  const errors: FieldError[] = []
  const check = (isWrong: boolean, field: string, value: Quantity, detail: string) => {
    if (isWrong) errors.push(invalidValue(`${path}.${field}`, String(value), detail))
  }
  check(least.compare(most) > 0, 'min', least, `min is larger than capacity value: ${most}`)
  check(usual.compare(least) < 0, 'default', usual, `default is less than min: ${least}`)
  if (largest) {
    check(least.compare(largest) > 0, 'max', least, `min is larger than max: ${largest}`)
    check(largest.compare(most) > 0, 'max', largest, `max is larger than capacity value: ${most}`)
    check(usual.compare(largest) > 0, 'default', usual, `default is more than max: ${largest}`)
  }
  if (step === undefined) return errors
  const width = Quantity.parse(step)
  if (width.sign <= 0)
    return [...errors, invalidValue(`${path}.step`, String(width), 'must be greater than zero')]
  const first = least.add(width)
  check(first.compare(most) > 0, 'step', width, `one step ${first} is larger than capacity value: ${most}`)
  for (const value of largest ? [usual, largest] : [usual]) {
    const isOff = (value.value() - least.value()) % width.value() !== 0
    check(isOff, 'step', value, `value is not a multiple of a given step (${width}) from (${least})`)
  }
  return errors
}
