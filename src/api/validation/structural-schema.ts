// Schemas that say of every field what it is. Upstream: apiextensions-apiserver pkg/apiserver/schema/validation.go and
// the schema checks of pkg/apis/apiextensions/validation.
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from './field-error.ts'
import { patternErrors } from './schema-patterns.ts'
import { type RulePlace, ruleErrors, timesBelow } from './schema-rules.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
/** What upstream's API knows and custom resources may not use. */
const FORBIDDEN = [
  'definitions',
  'dependencies',
  'patternProperties',
  'additionalItems',
  'id',
  '$ref',
] as const
const LIST_TYPES = ['atomic', 'set', 'map']

export function validateStructuralSchema(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors = [...validate(schema, { path, isRoot: true, times: 1 }), ...patternErrors(schema, path)]
  if (schema.type && schema.type !== 'object') {
    errors.push(invalidValue(`${path}.type`, schema.type, 'must be object at the root'))
  } else if (!schema.type) errors.push(required(`${path}.type`, 'must not be empty at the root'))
  return errors
}

function validate(schema: JSONSchemaProps, place: RulePlace): FieldError[] {
  const { path } = place
  const errors: FieldError[] = []
  const { type, properties, items, additionalProperties } = schema
  for (const field of FORBIDDEN) {
    if (schema[field] !== undefined)
      errors.push(forbiddenField(`${path}.${field}`, `${field} is not supported`))
  }
  if (schema.uniqueItems === true)
    errors.push(
      forbiddenField(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  if (type && !TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, TYPES))
  if (!type && !isFree(schema))
    errors.push(required(`${path}.type`, 'must not be empty for specified object fields'))
  if (schema['x-kubernetes-int-or-string'] && type) {
    errors.push(
      invalidValue(`${path}.type`, type, 'type must be empty if x-kubernetes-int-or-string is true'),
    )
  }
  if (properties && additionalProperties !== undefined) {
    errors.push(
      forbiddenField(
        `${path}.additionalProperties`,
        'additionalProperties and properties are mutual exclusive',
      ),
    )
  }
  if (type === 'array' && items === undefined) errors.push(required(`${path}.items`, 'must be specified'))
  if (Array.isArray(items))
    errors.push(forbiddenField(`${path}.items`, 'items must be a schema object and not an array'))
  return [...errors, ...ruleErrors(schema, place), ...listErrors(schema, path), ...innerErrors(schema, place)]
}

const isFree = (schema: JSONSchemaProps) =>
  schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-int-or-string'] === true

function listErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (listType === undefined) return []
  const errors: FieldError[] = []
  if (!LIST_TYPES.includes(listType))
    errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, LIST_TYPES))
  if (schema.type !== 'array') {
    errors.push(
      invalidValue(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'),
    )
  }
  if (listType === 'map' && keys.length === 0) {
    errors.push(
      required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'),
    )
  }
  const item = Array.isArray(schema.items) ? undefined : schema.items
  for (const key of listType === 'map' ? keys : []) {
    const property = item?.properties?.[key]
    if (!property) {
      errors.push(
        invalidValue(
          `${path}.items.properties`,
          Object.keys(item?.properties ?? {}),
          `entries must all be names of item properties`,
        ),
      )
    } else if (property.default === undefined && !item?.required?.includes(key)) {
      errors.push(
        required(
          `${path}.items.properties[${key}].default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      )
    }
  }
  return errors
}

function innerErrors(schema: JSONSchemaProps, { path, times }: RulePlace): FieldError[] {
  const { properties = {}, items, additionalProperties } = schema
  const below = timesBelow(schema, times)
  const inside = (name: string, often: number): RulePlace => ({
    path: `${path}.${name}`,
    isRoot: false,
    times: often,
  })
  return [
    ...Object.entries(properties).flatMap(([name, inner]) =>
      validate(inner, inside(`properties[${name}]`, times)),
    ),
    ...(items && !Array.isArray(items) ? validate(items, inside('items', below)) : []),
    ...(typeof additionalProperties === 'object'
      ? validate(additionalProperties, inside('additionalProperties', below))
      : []),
  ]
}
