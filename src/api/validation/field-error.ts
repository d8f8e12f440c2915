// One thing that is wrong with one field. Validators return lists of these; they never throw.
// Upstream: apimachinery pkg/util/validation/field/errors.go.
import { goJson } from './internal-json.ts'

export type FieldErrorReason =
  | 'FieldValueInvalid'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueNotFound'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError'

export interface FieldError {
  reason: FieldErrorReason
  /** 'spec.containers[0].name' */
  field: string
  /** Without the path: 'Invalid value: "x": must be …'. */
  message: string
}

/** In place of a value that is not to be shown. */
export const OMITTED = Symbol('omitted')

/**
 * How a value is shown: strings quoted, numbers and booleans plain, the rest as JSON. `undefined` is a nil pointer, which
 * upstream prints as "null"; `null` is a nil map or list.
 */
export function showValue(value: unknown): string {
  if (value === undefined) return '"null"'
  if (typeof value === 'string') return goQuote(value)
  return typeof value === 'object' ? goJson(value) : String(value)
}

const GO_LETTERS: Record<string, string> = { '\u0007': '\\a', '\u000b': '\\v' }

/** Go's %q. */
export function goQuote(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([01][0-9a-f])/g, (_, hex: string) => {
      const letter = String.fromCharCode(Number.parseInt(hex, 16))
      return GO_LETTERS[letter] ?? `\\x${hex}`
    })
    .replace(/\u007f/g, '\\x7f')
    .replace(
      /[\u0080-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/g,
      letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
}

const make = (reason: FieldErrorReason, field: string, message: string): FieldError => ({
  reason,
  field,
  message,
})
const shown = (value: unknown) => (value === OMITTED ? '' : `: ${showValue(value)}`)
const because = (detail: string) => (detail ? `: ${detail}` : '')

export const required = (field: string, detail = ''): FieldError =>
  make('FieldValueRequired', field, `Required value${because(detail)}`)

export const invalidValue = (field: string, value: unknown, detail: string): FieldError =>
  make('FieldValueInvalid', field, `Invalid value${shown(value)}${because(detail)}`)

export const typeInvalid = (field: string, value: unknown, detail: string): FieldError =>
  make('FieldValueTypeInvalid', field, `Invalid value${shown(value)}${because(detail)}`)

/** The valid values are shown in the order given: upstream lists some in order of meaning, others sorted. */
export const notSupported = (field: string, value: unknown, valid: readonly string[]): FieldError =>
  make(
    'FieldValueNotSupported',
    field,
    `Unsupported value: ${showValue(value)}${valid.length > 0 ? `: supported values: ${valid.map(goQuote).join(', ')}` : ''}`,
  )

export const duplicate = (field: string, value: unknown, detail = ''): FieldError =>
  make('FieldValueDuplicate', field, `Duplicate value: ${showValue(value)}${because(detail)}`)

export const notFoundValue = (field: string, value: unknown, detail = ''): FieldError =>
  make('FieldValueNotFound', field, `Not found: ${showValue(value)}${because(detail)}`)

/** What upstream says when the fault may not be the user's. */
export const internalError = (field: string, detail: string): FieldError =>
  make('InternalError', field, `Internal error${because(detail)}`)

export const forbiddenField = (field: string, detail: string): FieldError =>
  make('FieldValueForbidden', field, `Forbidden${because(detail)}`)

export const tooLong = (field: string, most: number): FieldError =>
  make('FieldValueTooLong', field, `Too long: may not be more than ${most} bytes`)

export const tooMany = (field: string, actual: number, most: number): FieldError =>
  make(
    'FieldValueTooMany',
    field,
    `Too many: ${actual}: must have at most ${most} ${most === 1 ? 'item' : 'items'}`,
  )

export const tooShort = (field: string, least: number): FieldError =>
  make('FieldValueInvalid', field, `Invalid value: must be at least ${least} bytes`)

/** The path of the object as a whole, as upstream prints it. */
export const WHOLE = '[]'

export const NEGATIVE = 'must be greater than or equal to 0'
export const IMMUTABLE = 'field is immutable'

/** Absent is fine. Upstream: ValidateNonnegativeField. */
export function nonNegative(field: string, value: number | undefined): FieldError[] {
  return value !== undefined && value < 0 ? [invalidValue(field, value, NEGATIVE)] : []
}

/** Upstream: ValidatePositiveField. */
export function positive(field: string, value: number): FieldError[] {
  return value > 0 ? [] : [invalidValue(field, value, 'must be greater than zero')]
}

/** Upstream: ValidateImmutableField. Values are the same when their JSON is. */
export function immutable(field: string, value: unknown, old: unknown): FieldError[] {
  return same(value, old) ? [] : [invalidValue(field, value, IMMUTABLE)]
}

/** Semantic equality: absent and empty are the same, at every depth. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b || (isEmpty(a) && isEmpty(b))) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  if (Array.isArray(a))
    return a.length === (b as unknown[]).length && a.every((item, at) => same(item, right[at]))
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every(key => same(left[key], right[key]))
}

const isEmpty = (value: unknown) =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0)

/** Absent values are Required; others must be among `valid`, which is shown in the order given. */
export function oneOf(field: string, value: string | undefined, valid: readonly string[]): FieldError[] {
  if (!value) return [required(field)]
  return valid.includes(value) ? [] : [notSupported(field, value, valid)]
}

/** A check from names.ts as field errors. */
export function each(field: string, value: string, check: (value: string) => string[]): FieldError[] {
  return check(value).map(detail => invalidValue(field, value, detail))
}
