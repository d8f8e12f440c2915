// References to a claim's requests: 'gpu', or 'gpu/large' for an alternative. Upstream: gatherRequestNames,
// validateRequestNameRef.
import { isDns1123Label } from '../../names.ts'
import type { DeviceRequest } from '../../types/resource-v1.ts'
import { each, type FieldError, invalidValue } from '../field-error.ts'
import { set } from './device-lists.ts'

const MOST_REQUESTS = 32
const DETAIL =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

export type RequestNames = ReadonlySet<string>

export function requestNames(requests: readonly DeviceRequest[]): RequestNames {
  return new Set(
    requests.flatMap(({ name, firstAvailable }) => [
      name,
      ...(firstAvailable ?? []).map(alternative => `${name}/${alternative.name}`),
    ]),
  )
}

export function validateReference(name: string, path: string, known: RequestNames): FieldError[] {
  const segments = name.split('/')
  if (segments.length > 2) return [invalidValue(path, name, DETAIL)]
  const errors = segments.flatMap(segment => each(path, segment, isDns1123Label))
  return known.has(name) ? errors : [...errors, invalidValue(path, name, DETAIL)]
}

export const validateReferences = (
  names: readonly string[] | undefined,
  path: string,
  known: RequestNames,
): FieldError[] =>
  set(
    names,
    path,
    MOST_REQUESTS,
    (name, at) => validateReference(name, at, known),
    name => name,
  )
