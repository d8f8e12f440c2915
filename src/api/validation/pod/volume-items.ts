// Parts that several sources of volumes have: keys put at paths, downward API files, file modes.
// Upstream: validateKeyToPath, validateDownwardAPIVolumeFile.
import type { DownwardAPIVolumeFile, KeyToPath } from '../../types/core-v1.ts'
import { type FieldError, invalidValue, required } from '../field-error.ts'
import { validateFieldRef, validateResourceFieldRef } from './environment.ts'
import { nonReservedPath } from './volume-paths.ts'

/** Required texts of a source. */
export const needs = (source: object, fields: readonly string[], path: string): FieldError[] =>
  fields
    .filter(field => {
      const value = (source as Record<string, unknown>)[field]
      return !value || (Array.isArray(value) && value.length === 0)
    })
    .map(field => required(`${path}.${field}`))

export function validateMode(value: number | undefined, path: string): FieldError[] {
  if (value === undefined || (value >= 0 && value <= 0o777)) return []
  return [invalidValue(path, value, 'must be a number between 0 and 0777 (octal), both inclusive')]
}

export function validateKeyToPath(item: KeyToPath, path: string): FieldError[] {
  return [
    ...needs(item, ['key', 'path'], path),
    ...nonReservedPath(item.path ?? '', `${path}.path`),
    ...validateMode(item.mode, `${path}.mode`),
  ]
}

const DOWNWARD_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]

export function validateDownwardFile(file: DownwardAPIVolumeFile, path: string): FieldError[] {
  const { fieldRef, resourceFieldRef } = file
  const errors = [...needs(file, ['path'], path), ...nonReservedPath(file.path ?? '', `${path}.path`)]
  if (fieldRef) {
    errors.push(...validateFieldRef(fieldRef, DOWNWARD_FIELDS, `${path}.fieldRef`))
    if (resourceFieldRef) {
      const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously'
      errors.push(invalidValue(path, 'resource', detail))
    }
  } else if (resourceFieldRef)
    errors.push(...validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, true))
  else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  return [...errors, ...validateMode(file.mode, `${path}.mode`)]
}
