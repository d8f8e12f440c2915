// Which resources there are and what may be done with them. Upstream: pkg/apis/core/helper/helpers.go.
import { isQualifiedName } from '../names.ts'
import { Quantity, QuantityError } from '../quantity.ts'
import { each, type FieldError, invalidValue, NEGATIVE } from './field-error.ts'

const CONTAINER = new Set(['cpu', 'memory', 'ephemeral-storage'])
const OBJECT_COUNTS = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]
const QUOTA = new Set([
  ...CONTAINER,
  ...[...CONTAINER].flatMap(name => [`requests.${name}`, `limits.${name}`]),
  ...OBJECT_COUNTS,
  'requests.storage',
])
const STANDARD = new Set([...QUOTA, 'storage'])
const INTEGERS = new Set(OBJECT_COUNTS)

export const isHugePage = (name: string): boolean => name.startsWith('hugepages-')
const isQuotaHugePage = (name: string) => isHugePage(name) || name.startsWith('requests.hugepages-')
export const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')

export function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0
}

/** Huge pages and extended resources are whole things: nobody gets more than there are. */
export const mayOvercommit = (name: string): boolean => isNative(name) && !isHugePage(name)
export const isQuotaName = (name: string): boolean => QUOTA.has(name) || isQuotaHugePage(name)
const isInteger = (name: string) => INTEGERS.has(name) || isExtended(name)

/** Undefined when the text is no quantity. */
export function parseQuantity(text: string | number): Quantity | undefined {
  try {
    return Quantity.parse(text)
  } catch (error) {
    if (error instanceof QuantityError) return undefined
    throw error
  }
}

/** Upstream: validateResourceName. */
export function validateResourceName(name: string, path: string): FieldError[] {
  const bad = each(path, name, isQualifiedName)
  if (bad.length > 0 || name.includes('/') || STANDARD.has(name) || isQuotaHugePage(name)) return bad
  return [invalidValue(path, name, 'must be a standard resource type or fully qualified')]
}

export function validateContainerResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path)
  if (!name.includes('/')) {
    return CONTAINER.has(name) || isHugePage(name)
      ? errors
      : [...errors, invalidValue(path, name, 'must be a standard resource for containers')]
  }
  return isNative(name) || isExtended(name)
    ? errors
    : [...errors, invalidValue(path, name, "doesn't follow extended resource name standard")]
}

export function validateQuotaResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path)
  return name.includes('/') || isQuotaName(name)
    ? errors
    : [...errors, invalidValue(path, name, 'must be a standard resource for quota')]
}

/** Upstream: ValidateResourceQuantityValue. */
export function validateAmount(name: string, text: string, path: string): FieldError[] {
  const amount = parseQuantity(text)
  if (!amount) return [invalidValue(path, text, 'must be a valid resource quantity')]
  const errors = amount.sign < 0 ? [invalidValue(path, amount.toString(), NEGATIVE)] : []
  return isInteger(name) && amount.milliValue() % 1_000 !== 0
    ? [...errors, invalidValue(path, amount.toString(), 'must be an integer')]
    : errors
}
