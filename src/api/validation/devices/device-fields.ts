// Fields that claims, classes and slices of devices share. Upstream: pkg/apis/resource/validation.
import { deviceSelectorProblem, isTooComplex } from '../../cel/device-selectors.ts'
import {
  isCIdentifier,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from '../../names.ts'
import type {
  DeviceSelector,
  DeviceTaint,
  DeviceToleration,
  OpaqueDeviceConfiguration,
} from '../../types/resource-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../field-error.ts'
import { validateCsiDriverName } from '../pod/volume-sources.ts'
import { list } from './device-lists.ts'

const LONGEST_POOL = 253
const LONGEST_ID = 32
const LONGEST_EXPRESSION = 10 * 1024
const LONGEST_PARAMETERS = 10 * 1024
const MOST_SELECTORS = 32
const MOST_CONDITIONS = 4
const EFFECTS = ['NoExecute', 'NoSchedule', 'None']
const OPERATORS = ['Equal', 'Exists']

/** Of a driver, as of a CSI driver. */
export const validateDriverName = (name: string, path: string): FieldError[] =>
  validateCsiDriverName(name, path)

export const validateDeviceName = (name: string, path: string): FieldError[] =>
  each(path, name, isDns1123Label)

export function validatePoolName(name: string, path: string): FieldError[] {
  if (!name) return [required(path)]
  return [
    ...(name.length > LONGEST_POOL ? [tooLong(path, LONGEST_POOL)] : []),
    ...name.split('/').flatMap(part => each(path, part, isDns1123Subdomain)),
  ]
}

/** With or without a domain. */
export function validateQualifiedName(name: string, path: string): FieldError[] {
  const parts = name.split('/')
  if (parts.length > 2) return [invalidValue(path, name, 'must not contain more than one slash')]
  const [domain, id] = parts.length === 2 ? parts : [undefined, parts[0]]
  const errors = domain === '' ? [invalidValue(path, '', 'the domain must not be empty')] : []
  if (domain) errors.push(...validateDriverName(domain, path))
  if (parts.length === 2 && !id) return [...errors, invalidValue(path, '', 'the name must not be empty')]
  if (id!.length > LONGEST_ID) errors.push(tooLong(path, LONGEST_ID))
  return [...errors, ...each(path, id!, isCIdentifier)]
}

export function validateFullyQualifiedName(name: string, path: string): FieldError[] {
  const errors = validateQualifiedName(name, path)
  if (name.includes('/')) return errors
  const detail = 'a fully qualified name must be a domain and a name separated by a slash'
  return [...errors, invalidValue(path, name, detail)]
}

/** `isStored`: the server took them before; they are not judged again. */
export const validateSelectors = (
  selectors: readonly DeviceSelector[] | undefined,
  path: string,
  isStored = false,
): FieldError[] =>
  list(selectors, path, MOST_SELECTORS, ({ cel }, at) => {
    if (!cel) return [required(`${at}.cel`)]
    return isStored ? [] : validateExpression(cel.expression, `${at}.cel.expression`)
  })

function validateExpression(expression: string, path: string): FieldError[] {
  if (expression.length > LONGEST_EXPRESSION) return [tooLong(path, LONGEST_EXPRESSION)]
  const problem = deviceSelectorProblem(expression)
  if (problem !== undefined) return [invalidValue(path, expression, problem)]
  return isTooComplex(expression) ? [forbiddenField(path, 'too complex, exceeds cost limit')] : []
}

export function validateOpaque(
  opaque: OpaqueDeviceConfiguration | undefined,
  path: string,
  isStored = false,
): FieldError[] {
  if (!opaque) return [required(path)]
  return [
    ...validateDriverName(opaque.driver, `${path}.driver`),
    ...validateRaw(opaque.parameters, `${path}.parameters`, LONGEST_PARAMETERS, isStored),
  ]
}

/** Any object, up to so many bytes. */
export function validateRaw(raw: unknown, path: string, longest: number, isStored = false): FieldError[] {
  if (raw === undefined || raw === null) return [required(path)]
  if (!isStored && Buffer.byteLength(JSON.stringify(raw)) > longest) return [tooLong(path, longest)]
  const isObject = typeof raw === 'object' && !Array.isArray(raw)
  return isObject ? [] : [invalidValue(path, '<value omitted>', 'must be a valid JSON object')]
}

export function validateToleration(toleration: DeviceToleration, path: string): FieldError[] {
  const { key = '', operator = '', value = '', effect = '' } = toleration
  const errors = key ? each(`${path}.key`, key, isQualifiedName) : []
  if (operator === 'Exists') {
    if (value) errors.push(invalidValue(`${path}.value`, value, 'must be empty for operator `Exists`'))
  } else if (operator === 'Equal') errors.push(...each(`${path}.value`, value, isLabelValue))
  else if (operator === '') errors.push(required(`${path}.operator`))
  else errors.push(notSupported(`${path}.operator`, operator, OPERATORS))
  if (effect && !EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS))
  return errors
}

export function validateTaint({ key, value = '', effect }: DeviceTaint, path: string): FieldError[] {
  const errors = each(`${path}.key`, key ?? '', isQualifiedName)
  if (value) errors.push(...each(`${path}.value`, value, isLabelValue))
  if (!effect) errors.push(required(`${path}.effect`))
  else if (!EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS))
  return errors
}

interface BindingConditions {
  bindingConditions?: string[]
  bindingFailureConditions?: string[]
}

export function validateBindingConditions(
  { bindingConditions: wanted = [], bindingFailureConditions: failing = [] }: BindingConditions,
  path: string,
): FieldError[] {
  const [at, failingAt] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`]
  const label = (name: string, place: string) => each(place, name, isQualifiedName)
  const errors = [
    ...list(wanted, at, MOST_CONDITIONS, label),
    ...list(failing, failingAt, MOST_CONDITIONS, label),
    ...twice(wanted, at),
  ]
  for (const [index, name] of failing.entries()) {
    const place = `${failingAt}[${index}]`
    if (failing.indexOf(name) < index) errors.push(duplicate(place, name))
    if (wanted.includes(name)) {
      const detail = 'bindingFailureConditions must not overlap with bindingConditions'
      errors.push(invalidValue(place, name, detail))
    }
  }
  if (wanted.length === 0 && failing.length > 0)
    errors.push(invalidValue(at, null, 'bindingConditions are required to use bindingFailureConditions'))
  if (failing.length === 0 && wanted.length > 0)
    errors.push(
      invalidValue(failingAt, null, 'bindingFailureConditions are required to use bindingConditions'),
    )
  return errors
}

const twice = (names: readonly string[], path: string): FieldError[] =>
  names.flatMap((name, index) => (names.indexOf(name) < index ? [duplicate(`${path}[${index}]`, name)] : []))
