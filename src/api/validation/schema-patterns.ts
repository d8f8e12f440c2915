// The patterns of a schema are ones that Go can read, wherever they stand.
// Upstream: apiextensions-apiserver pkg/apiserver/schema/validation.go (validateValueValidation).
import { patternProblem } from '../../base/pattern/pattern.ts'
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import { type FieldError, invalidValue } from './field-error.ts'

export function patternErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const { pattern } = schema
  const problem = pattern ? patternProblem(pattern) : undefined
  const own = problem
    ? [invalidValue(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${problem}`)]
    : []
  return [...own, ...innerSchemas(schema).flatMap(([name, inner]) => patternErrors(inner, `${path}.${name}`))]
}

/** Also those that only add conditions: anyOf, allOf, oneOf, not. */
function innerSchemas(schema: JSONSchemaProps): [name: string, inner: JSONSchemaProps][] {
  const { properties = {}, items, additionalProperties, anyOf = [], allOf = [], oneOf = [], not } = schema
  const numbered = (name: string, all: readonly JSONSchemaProps[]): [string, JSONSchemaProps][] =>
    all.map((inner, index) => [`${name}[${index}]`, inner])
  return [
    ...numbered('anyOf', anyOf),
    ...numbered('allOf', allOf),
    ...numbered('oneOf', oneOf),
    ...Object.entries({ ...(not && { not }), ...(items && !Array.isArray(items) && { items }) }),
    ...(typeof additionalProperties === 'object'
      ? [['additionalProperties', additionalProperties] satisfies [string, JSONSchemaProps]]
      : []),
    ...Object.entries(properties).map(([name, inner]): [string, JSONSchemaProps] => [
      `properties[${name}]`,
      inner,
    ]),
  ]
}
