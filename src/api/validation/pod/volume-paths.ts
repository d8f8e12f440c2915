// Paths inside of volumes.
import { type FieldError, invalidValue } from '../field-error.ts'

/** A path that stays below where it starts. Upstream: validateLocalDescendingPath. */
export function descendingPath(text: string, path: string): FieldError[] {
  const relative = text.startsWith('/') ? [invalidValue(path, text, 'must be a relative path')] : []
  return [...relative, ...noBacksteps(text, path)]
}

/** Upstream: validatePathNoBacksteps. */
export const noBacksteps = (text: string, path: string): FieldError[] =>
  text.split('/').includes('..') ? [invalidValue(path, text, "must not contain '..'")] : []

/** Upstream: ValidateLocalNonReservedPath. */
export function nonReservedPath(text: string, path: string): FieldError[] {
  const errors = descendingPath(text, path)
  // A step up is told already.
  if (text.startsWith('..') && !text.startsWith('../'))
    errors.push(invalidValue(path, text, "must not start with '..'"))
  return errors
}
