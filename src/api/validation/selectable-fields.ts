// The fields of a custom kind that selectors may name.
// Upstream: apiextensions-apiserver ValidateCustomResourceSelectableFields, schema/cel ValidFieldPath.
import type { CustomResourceDefinitionVersion, JSONSchemaProps } from '../types/apiextensions-v1.ts'
import { duplicate, type FieldError, invalidValue, required, tooMany } from './field-error.ts'

const MOST = 8
const SELECTABLE = ['string', 'boolean', 'integer']

export function selectableFieldErrors(
  { selectableFields = [], schema }: CustomResourceDefinitionVersion,
  path: string,
): FieldError[] {
  const seen = new Set<string>()
  const errors = selectableFields.flatMap(({ jsonPath }, index) => {
    const at = `${path}[${index}].jsonPath`
    if (!jsonPath) return [required(at)]
    const problem = problemOf(jsonPath, schema?.openAPIV3Schema)
    if (problem) return [invalidValue(at, jsonPath, problem)]
    if (seen.has(jsonPath)) return [duplicate(at, jsonPath)]
    seen.add(jsonPath)
    return []
  })
  return seen.size > MOST ? [...errors, tooMany(path, seen.size, MOST)] : errors
}

function problemOf(jsonPath: string, root: JSONSchemaProps | undefined): string | undefined {
  if (!jsonPath.startsWith('.')) return `is an invalid path: expected [ or . but got: ${jsonPath}`
  const names = jsonPath.slice(1).split('.')
  if (names[0] === 'metadata') return 'must not point to fields in metadata'
  let found = root
  for (const name of names) {
    found = found?.properties?.[name]
    if (!found) return 'is an invalid path: does not refer to a valid field'
  }
  return SELECTABLE.includes(found?.type ?? '')
    ? undefined
    : 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
}
