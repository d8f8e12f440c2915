// Holds a value against a schema of a CustomResourceDefinition.
// Upstream: apiextensions-apiserver pkg/apiserver/validation over kube-openapi's validate.
import { isDeepStrictEqual } from 'node:util'
import { compilePattern, PatternError, PatternWorkError } from '../../base/pattern/pattern.ts'
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import {
  duplicate,
  type FieldError,
  goQuote,
  invalidValue,
  required,
  showValue,
  tooLong,
  tooMany,
  typeInvalid,
} from '../validation/field-error.ts'
import { formatProblem } from './formats.ts'

type Plain = Record<string, unknown>

const isMap = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function validateValue(value: unknown, schema: JSONSchemaProps, path = ''): FieldError[] {
  if (value === null && schema.nullable) return []
  const typeError = checkType(value, schema, path)
  if (typeError) return [typeError]
  return [
    ...enumErrors(value, schema, path),
    ...(typeof value === 'number' ? numberErrors(value, schema, path) : []),
    ...(typeof value === 'string' ? stringErrors(value, schema, path) : []),
    ...(Array.isArray(value) ? listErrors(value, schema, path) : []),
    ...(isMap(value) ? mapErrors(value, schema, path) : []),
    ...combinedErrors(value, schema, path),
  ]
}

/** 'spec.x in body must be of type integer: "string"'. */
function checkType(value: unknown, schema: JSONSchemaProps, path: string): FieldError | undefined {
  const wanted = schema.type
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true
  if (isIntOrString && (typeof value === 'string' || Number.isInteger(value))) return undefined
  if (!wanted && !isIntOrString) return undefined
  const given = typeName(value)
  const names = isIntOrString ? 'integer,string' : wanted!
  const fits = wanted === given || (wanted === 'number' && given === 'integer')
  if (fits && !isIntOrString) return undefined
  return typeInvalid(path || '<nil>', given, `${path} in body must be of type ${names}: ${goQuote(given)}`)
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function enumErrors(value: unknown, schema: JSONSchemaProps, path: string): FieldError[] {
  const { enum: allowed } = schema
  if (!allowed || allowed.some(one => isDeepStrictEqual(one, value))) return []
  const shown = allowed
    .map(one => (typeof one === 'string' ? goQuote(one) : goQuote(JSON.stringify(one))))
    .join(', ')
  const message = `Unsupported value: ${showValue(value)}: supported values: ${shown}`
  return [{ reason: 'FieldValueNotSupported', field: path, message }]
}

function numberErrors(value: number, schema: JSONSchemaProps, path: string): FieldError[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  const says = (text: string) => [invalidValue(path, value, `${path} in body should be ${text}`)]
  return [
    ...(minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)
      ? says(`greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`)
      : []),
    ...(maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)
      ? says(`less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
      : []),
    ...(multipleOf !== undefined && !Number.isInteger(value / multipleOf)
      ? says(`a multiple of ${multipleOf}`)
      : []),
  ]
}

function stringErrors(value: string, schema: JSONSchemaProps, path: string): FieldError[] {
  const { minLength, maxLength, pattern, format } = schema
  const length = [...value].length
  const problem = format ? formatProblem(format, value) : false
  return [
    ...(minLength !== undefined && length < minLength
      ? [invalidValue(path, value, `${path} in body should be at least ${minLength} chars long`)]
      : []),
    ...(maxLength !== undefined && length > maxLength ? [tooLong(path, maxLength)] : []),
    ...(pattern ? patternErrors(value, pattern, path) : []),
    ...(problem
      ? [invalidValue(path, value, `${path} in body must be of type ${format}: ${goQuote(value)}`)]
      : []),
  ]
}

/** Patterns are looked for anywhere in the value, as Go does. Upstream: kube-openapi validate.Pattern. */
function patternErrors(value: string, pattern: string, path: string): FieldError[] {
  const says = (text: string) => [invalidValue(path, value, `${path} in body ${text}`)]
  try {
    return compilePattern(pattern).test(value) ? [] : says(`should match '${pattern}'`)
  } catch (error) {
    if (error instanceof PatternError)
      return says(`should match '${pattern}, but pattern is invalid: ${error.message}'`)
    if (error instanceof PatternWorkError)
      return says(`should match '${pattern}', and is too long for anyone to tell`)
    throw error
  }
}

function listErrors(value: unknown[], schema: JSONSchemaProps, path: string): FieldError[] {
  const { minItems, maxItems, items } = schema
  return [
    ...(minItems !== undefined && value.length < minItems
      ? [invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`)]
      : []),
    ...(maxItems !== undefined && value.length > maxItems ? [tooMany(path, value.length, maxItems)] : []),
    ...(items && !Array.isArray(items)
      ? value.flatMap((item, index) => validateValue(item, items, `${path}[${index}]`))
      : []),
    ...duplicates(value, schema, path),
  ]
}

/** Upstream: schema/listtype. */
function duplicates(value: unknown[], schema: JSONSchemaProps, path: string): FieldError[] {
  const type = schema['x-kubernetes-list-type']
  if (type !== 'map' && type !== 'set') return []
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  return value.flatMap((item, index) => {
    const identity =
      type === 'set' ? item : Object.fromEntries(keys.map(key => [key, (item as Plain | undefined)?.[key]]))
    const text = JSON.stringify(identity)
    if (seen.has(text)) return [duplicate(`${path}[${index}]`, identity)]
    seen.add(text)
    return []
  })
}

function mapErrors(value: Plain, schema: JSONSchemaProps, path: string): FieldError[] {
  const { required: names = [], properties = {}, additionalProperties, minProperties, maxProperties } = schema
  const at = (key: string) => (path ? `${path}.${key}` : key)
  const count = Object.keys(value).length
  return [
    ...names.filter(name => value[name] === undefined).map(name => required(at(name))),
    ...(minProperties !== undefined && count < minProperties
      ? [invalidValue(path, count, `${path} in body should have at least ${minProperties} properties`)]
      : []),
    ...(maxProperties !== undefined && count > maxProperties ? [tooMany(path, count, maxProperties)] : []),
    ...Object.entries(value).flatMap(([key, inner]) => {
      const known =
        properties[key] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
      return known && inner !== undefined ? validateValue(inner, known, at(key)) : []
    }),
  ]
}

function combinedErrors(value: unknown, schema: JSONSchemaProps, path: string): FieldError[] {
  const fits = (inner: JSONSchemaProps) => validateValue(value, inner, path).length === 0
  const says = (text: string) => [invalidValue(path, value, `${goQuote(path)} ${text}`)]
  const { allOf = [], anyOf, oneOf, not } = schema
  const found = oneOf?.filter(fits).length ?? 1
  return [
    ...allOf.flatMap(inner => validateValue(value, inner, path)),
    ...(anyOf && !anyOf.some(fits) ? says('must validate at least one schema (anyOf)') : []),
    ...(found === 1
      ? []
      : says(
          `must validate one and only one schema (oneOf). Found ${found === 0 ? 'none valid' : `${found} valid alternatives`}`,
        )),
    ...(not && fits(not) ? says('must not validate the schema (not)') : []),
  ]
}
