// The rules that a schema of a custom resource adds in CEL: x-kubernetes-validations.
// Upstream: apiextensions-apiserver pkg/apiserver/schema/cel/validation.go.
import { Optional } from '@marcbachmann/cel-js'
import type { JSONSchemaProps, ValidationRule } from '../types/apiextensions-v1.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
} from '../validation/field-error.ts'
import { BUDGET_EXCEEDED } from './call-budget.ts'
import { CelError, celValue, compile } from './environment.ts'
import { escapedFieldName } from './field-names.ts'

type Plain = Record<string, unknown>

const isMap = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const ruled = new WeakMap<JSONSchemaProps, boolean>()

/** Does the schema hold any rule, at any depth? */
function hasRules(schema: JSONSchemaProps): boolean {
  const known = ruled.get(schema)
  if (known !== undefined) return known
  const has = (schema['x-kubernetes-validations']?.length ?? 0) > 0 || innerSchemas(schema).some(hasRules)
  ruled.set(schema, has)
  return has
}

function innerSchemas({ properties = {}, items, additionalProperties }: JSONSchemaProps): JSONSchemaProps[] {
  return [
    ...Object.values(properties),
    ...(items && !Array.isArray(items) ? [items] : []),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
  ]
}

/** `old`: what stood there before; undefined when nothing did. */
export function validateRules(
  value: unknown,
  old: unknown,
  schema: JSONSchemaProps,
  path = '',
): FieldError[] {
  if (value === undefined || value === null || !hasRules(schema)) return []
  const own = (schema['x-kubernetes-validations'] ?? []).flatMap(rule =>
    ruleErrors(rule, value, old, schema, path),
  )
  return [...own, ...innerErrors(value, old, schema, path)]
}

function innerErrors(value: unknown, old: unknown, schema: JSONSchemaProps, path: string): FieldError[] {
  const { properties = {}, items, additionalProperties } = schema
  if (Array.isArray(value)) {
    if (!items || Array.isArray(items)) return []
    return value.flatMap((item, index) =>
      validateRules(item, sameItem(item, old, schema), items, `${path}[${index}]`),
    )
  }
  if (!isMap(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const known =
      properties[key] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    const before = isMap(old) ? old[key] : undefined
    return known ? validateRules(inner, before, known, path ? `${path}.${key}` : key) : []
  })
}

/** Items of lists by keys are known again; others are not. */
function sameItem(item: unknown, old: unknown, schema: JSONSchemaProps): unknown {
  const keys = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old) || !isMap(item))
    return undefined
  return old.find(one => isMap(one) && keys.every(key => one[key] === item[key]))
}

function ruleErrors(
  rule: ValidationRule,
  value: unknown,
  old: unknown,
  schema: JSONSchemaProps,
  path: string,
): FieldError[] {
  const isTransition = /\boldSelf\b/.test(rule.rule)
  if (isTransition && old === undefined && !rule.optionalOldSelf) return []
  const before = old === undefined ? undefined : ruleValue(old, schema)
  const oldSelf = rule.optionalOldSelf
    ? before === undefined
      ? Optional.none()
      : Optional.of(before)
    : before
  const variables = { self: ruleValue(value, schema), ...(isTransition && { oldSelf }) }
  try {
    if (compile(rule.rule, rule.optionalOldSelf ? 'optional' : 'plain')(variables) === true) return []
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return [invalidValue(path, schema.type ?? '', failureOf(error.message, ruleName(rule)))]
  }
  const at = rule.fieldPath ? `${path}${rule.fieldPath}` : path
  return [errorOf(rule, at, schema.type ?? '', textOf(rule, variables))]
}

function failureOf(message: string, rule: string): string {
  if (message === 'no such overload')
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${rule}`
  if (message.startsWith(BUDGET_EXCEEDED))
    return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${rule}`
  return `${message} evaluating rule: ${rule}`
}

const ruleName = ({ message, rule }: ValidationRule) => message || rule

function textOf(rule: ValidationRule, variables: Plain): string {
  const fallback = rule.message || `failed rule: ${rule.rule.trim()}`
  if (!rule.messageExpression) return fallback
  try {
    const text = compile(rule.messageExpression)(variables)
    return typeof text === 'string' && text.trim() !== '' ? text.trim() : fallback
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return fallback
  }
}

function errorOf({ reason }: ValidationRule, path: string, type: string, text: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbiddenField(path, text)
    case 'FieldValueRequired':
      return required(path, text)
    case 'FieldValueDuplicate':
      return duplicate(path, type, text)
    default:
      return invalidValue(path, type, text)
  }
}

function ruleValue(value: unknown, schema: JSONSchemaProps): unknown {
  const { properties, items, additionalProperties } = schema
  if (Array.isArray(value)) {
    return items && !Array.isArray(items) ? value.map(item => ruleValue(item, items)) : celValue(value)
  }
  if (!isMap(value)) return schema.type === 'number' && typeof value === 'number' ? value : celValue(value)
  const map: Plain = {}
  for (const [key, inner] of Object.entries(value)) {
    const property = properties?.[key]
    if (property) map[escapedFieldName(key)] = ruleValue(inner, property)
    else
      map[key] =
        typeof additionalProperties === 'object' ? ruleValue(inner, additionalProperties) : celValue(inner)
  }
  return map
}
