// LimitRanges. Upstream: ValidateLimitRange in pkg/apis/core/validation.
import { isQualifiedName } from '../../names.ts'
import { Quantity } from '../../quantity.ts'
import type { LimitRange, LimitRangeItem } from '../../types/core-v1.ts'
import { duplicate, each, type FieldError, forbiddenField, invalidValue, required } from '../field-error.ts'
import {
  mayOvercommit,
  parseQuantity,
  validateContainerResourceName,
  validateResourceName,
} from '../resource-names.ts'
import type { Validator } from '../validator.ts'

const TYPES = new Set(['Pod', 'Container', 'PersistentVolumeClaim'])
const POD_LISTS = ['max', 'min', 'maxLimitRequestRatio'] as const
const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const
type List = (typeof LISTS)[number]

function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>()
  return (spec.limits ?? []).flatMap((item, index) => {
    const path = `spec.limits[${index}]`
    const errors = validateType(item.type, `${path}.type`)
    if (seen.has(item.type)) errors.push(duplicate(`${path}.type`, item.type))
    seen.add(item.type)
    return [...errors, ...validateItem(item, path)]
  })
}

function validateType(type: string, path: string): FieldError[] {
  const errors = each(path, type, isQualifiedName)
  if (errors.length > 0 || type.includes('/') || TYPES.has(type)) return errors
  return [invalidValue(path, type, 'must be a standard limit type or fully qualified')]
}

function validateItem(item: LimitRangeItem, path: string): FieldError[] {
  const errors: FieldError[] = []
  const lists = item.type === 'Pod' ? POD_LISTS : LISTS
  const checkName =
    item.type === 'Pod' || item.type === 'Container' ? validateContainerResourceName : validateResourceName
  for (const list of lists)
    for (const name of Object.keys(item[list] ?? {}))
      errors.push(...checkName(name, `${path}.${list}[${name}]`))
  for (const list of item.type === 'Pod' ? (['default', 'defaultRequest'] as const) : []) {
    if (Object.keys(item[list] ?? {}).length > 0)
      errors.push(forbiddenField(`${path}.${list}`, "may not be specified when `type` is 'Pod'"))
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.storage && !item.max?.storage) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided'
    errors.push(required(`${path}.limits`, detail))
  }
  const names = new Set(lists.flatMap(list => Object.keys(item[list] ?? {})))
  return [...errors, ...[...names].flatMap(name => validateAmounts(item, name, lists, path))]
}

type Amounts = Partial<Record<List, Quantity>>

function validateAmounts(
  item: LimitRangeItem,
  name: string,
  lists: readonly List[],
  path: string,
): FieldError[] {
  const amounts: Amounts = {}
  for (const list of lists) {
    const text = item[list]?.[name]
    const amount = text === undefined ? undefined : parseQuantity(text)
    if (amount) amounts[list] = amount
  }
  const refuse = (list: List, value: Quantity, detail: string) =>
    invalidValue(`${path}.${list}[${name}]`, value.toString(), detail)
  return [...ordered(amounts, refuse), ...ratio(amounts, refuse), ...firm(amounts, name, refuse)]
}

type Refuse = (list: List, value: Quantity, detail: string) => FieldError

function ordered({ min, max, default: limit, defaultRequest: request }: Amounts, refuse: Refuse) {
  const errors: FieldError[] = []
  const more = (a?: Quantity, b?: Quantity) => a !== undefined && b !== undefined && a.compare(b) > 0
  if (more(min, max)) errors.push(refuse('min', min!, `min value ${min} is greater than max value ${max}`))
  if (more(min, request)) {
    const detail = `min value ${min} is greater than default request value ${request}`
    errors.push(refuse('defaultRequest', request!, detail))
  }
  if (more(request, max)) {
    const detail = `default request value ${request} is greater than max value ${max}`
    errors.push(refuse('defaultRequest', request!, detail))
  }
  if (more(request, limit)) {
    const detail = `default request value ${request} is greater than default limit value ${limit}`
    errors.push(refuse('defaultRequest', request!, detail))
  }
  if (more(min, limit))
    errors.push(refuse('default', min!, `min value ${min} is greater than default value ${limit}`))
  if (more(limit, max))
    errors.push(refuse('default', max!, `default value ${limit} is greater than max value ${max}`))
  return errors
}

function ratio({ min, max, maxLimitRequestRatio: most }: Amounts, refuse: Refuse): FieldError[] {
  if (!most) return []
  const errors: FieldError[] = []
  if (most.compare(Quantity.fromValue(1)) < 0)
    errors.push(refuse('maxLimitRequestRatio', most, `ratio ${most} is less than 1`))
  if (!min || !max) return errors
  const span = max.milliValue() / min.milliValue()
  if (most.milliValue() / 1000 > span) {
    const detail = `ratio ${most} is greater than max/min = ${span.toFixed(6)}`
    errors.push(refuse('maxLimitRequestRatio', most, detail))
  }
  return errors
}

/** What cannot be overcommitted is asked for as it is limited. */
function firm({ default: limit, defaultRequest: request }: Amounts, name: string, refuse: Refuse) {
  if (mayOvercommit(name) || !limit || !request || limit.compare(request) === 0) return []
  const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`
  return [refuse('defaultRequest', request, detail)]
}

export const limitRangeValidator: Validator = { create: validateLimitRange }
