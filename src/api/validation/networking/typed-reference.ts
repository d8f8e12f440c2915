// References to an object of any kind. Upstream: validateIngressTypedLocalObjectReference.
import { isDns1123Subdomain, isPathSegmentName } from '../../names.ts'
import { each, type FieldError, required } from '../field-error.ts'

export interface TypedReference {
  apiGroup?: string | null
  kind: string
  name: string
}

export function validateTypedReference(reference: TypedReference, path: string): FieldError[] {
  const { apiGroup } = reference
  return [
    ...(apiGroup === undefined || apiGroup === null
      ? []
      : each(`${path}.apiGroup`, apiGroup, isDns1123Subdomain)),
    ...validateKindAndName(reference, path),
  ]
}

/** Both must be there and fit a URL path. */
export function validateKindAndName(reference: { kind?: string; name?: string }, path: string): FieldError[] {
  return (['kind', 'name'] as const).flatMap(field => {
    const text = reference[field]
    return text ? each(`${path}.${field}`, text, isPathSegmentName) : [required(`${path}.${field}`)]
  })
}
