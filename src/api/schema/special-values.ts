// Values that Go reads and writes with code of their own: quantities, times, int-or-string.
// Each function returns the value as Go would write it again, or throws Error with Go's text.
import { Quantity } from '../quantity.ts'

/** What Go's json package calls the type of a value. */
export function jsonTypeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

const cannot = (value: unknown, type: string) =>
  new Error(`json: cannot unmarshal ${jsonTypeName(value)} into Go value of type ${type}`)

export function canonicalQuantity(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number')
    return Quantity.parse(JSON.stringify(value)).toString()
  // Most quantities are short whole numbers with or without a decimal suffix that cannot be raised.
  if (typeof value === 'string' && /^[1-9]\d{0,2}(?:m|k|M|G|[KMG]i)?$/.test(value)) return value
  return Quantity.parse(typeof value === 'string' ? value.trim() : value).toString()
}

export function intOrString(value: unknown): number | string {
  if (typeof value === 'string') return value
  if (typeof value !== 'number') throw cannot(value, 'int32')
  if (!Number.isInteger(value) || value !== (value | 0)) {
    throw new Error(`json: cannot unmarshal number ${value} into Go value of type int32`)
  }
  return value
}

const RFC_3339 = /^\d{4}-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/

/** In UTC; `digits` of a second are kept, more are cut off. */
export function canonicalTime(value: unknown, digits: 0 | 6): string | null {
  if (typeof value !== 'string') throw cannot(value, 'string')
  if (digits === 6 && value === '') return null
  const found = RFC_3339.exec(value)
  const millis = found ? Date.parse(value.replace(/[.,]\d+/, '')) : Number.NaN
  if (!found || Number.isNaN(millis)) throw new Error(timeParseError(value, digits))
  const whole = new Date(millis).toISOString().slice(0, 19)
  return digits === 0 ? `${whole}Z` : `${whole}.${(found[6] ?? '').slice(0, 6).padEnd(6, '0')}Z`
}

const LAYOUT: [RegExp, string][] = [
  [/^\d{4}/, '2006'],
  [/^-/, '-'],
  [/^\d\d/, '01'],
  [/^-/, '-'],
  [/^\d\d/, '02'],
  [/^T/, 'T'],
  [/^\d\d/, '15'],
  [/^:/, ':'],
  [/^\d\d/, '04'],
  [/^:/, ':'],
  [/^\d\d(?:[.,]\d+)?/, '05'],
  [/^(?:Z|[+-]\d\d:\d\d)/, 'Z07:00'],
]

/** As time.Parse words it: which part of the layout the text does not match. */
function timeParseError(text: string, digits: 0 | 6): string {
  const layout = digits === 0 ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00'
  const start = `parsing time ${JSON.stringify(text)}`
  let rest = text
  for (const [pattern, part] of LAYOUT) {
    const found = pattern.exec(rest)
    if (!found) return `${start} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${part}"`
    rest = rest.slice(found[0].length)
  }
  if (rest) return `${start}: extra text: ${JSON.stringify(rest)}`
  const [, month, , hour, minute] = RFC_3339.exec(text) ?? []
  const part =
    Number(month) > 12 || month === '00'
      ? 'month'
      : Number(hour) > 23
        ? 'hour'
        : Number(minute) > 59
          ? 'minute'
          : 'day'
  return `${start}: ${part} out of range`
}
