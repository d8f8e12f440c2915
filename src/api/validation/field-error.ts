// One thing that is wrong with one field. Validators return lists of these; they never throw.
// Upstream: apimachinery pkg/util/validation/field/errors.go.

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

/** How a value is shown: strings quoted, numbers and booleans plain, null as such, the rest as JSON. */
export function showValue(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'string') return goQuote(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Go's %q. */
export function goQuote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f]/g, letter => `\\x${letter.charCodeAt(0).toString(16)}`)
}

const make = (reason: FieldErrorReason, field: string, message: string): FieldError => ({
  reason,
  field,
  message,
})
const because = (detail: string) => (detail ? `: ${detail}` : '')

export const required = (field: string, detail = ''): FieldError =>
  make('FieldValueRequired', field, `Required value${because(detail)}`)

export const invalidValue = (field: string, value: unknown, detail: string): FieldError =>
  make('FieldValueInvalid', field, `Invalid value: ${showValue(value)}${because(detail)}`)

export const typeInvalid = (field: string, value: unknown, detail: string): FieldError =>
  make('FieldValueTypeInvalid', field, `Invalid value: ${showValue(value)}${because(detail)}`)

/** The valid values are shown in the order given: upstream lists some in order of meaning, others sorted. */
export const notSupported = (field: string, value: unknown, valid: readonly string[]): FieldError =>
  make(
    'FieldValueNotSupported',
    field,
    `Unsupported value: ${showValue(value)}${valid.length > 0 ? `: supported values: ${valid.map(goQuote).join(', ')}` : ''}`,
  )

export const duplicate = (field: string, value: unknown): FieldError =>
  make('FieldValueDuplicate', field, `Duplicate value: ${showValue(value)}`)

export const notFoundValue = (field: string, value: unknown): FieldError =>
  make('FieldValueNotFound', field, `Not found: ${showValue(value)}`)

export const forbiddenField = (field: string, detail: string): FieldError =>
  make('FieldValueForbidden', field, `Forbidden${because(detail)}`)

export const tooLong = (field: string, most: number): FieldError =>
  make('FieldValueTooLong', field, `Too long: may not be more than ${most} bytes`)

export const tooMany = (field: string, actual: number, most: number): FieldError =>
  make('FieldValueTooMany', field, `Too many: ${actual}: must have at most ${most} items`)

/** A check from names.ts as field errors. */
export function each(field: string, value: string, check: (value: string) => string[]): FieldError[] {
  return check(value).map(detail => invalidValue(field, value, detail))
}
