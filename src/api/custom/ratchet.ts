// Lets be what was wrong before a change and is untouched by it. Pure.
// Upstream: KEP-4008; apiextensions-apiserver pkg/apiserver/validation/ratcheting.go and common.CorrelatedObject.
import { isDeepStrictEqual } from 'node:util'
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import type { FieldError } from '../validation/field-error.ts'

type Step = string | number

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The errors that count: those about values that are not as they were. */
export function ratchet(
  errors: readonly FieldError[],
  object: unknown,
  old: unknown,
  schema: JSONSchemaProps,
): FieldError[] {
  return errors.filter(error => !isUntouched(judged(error), object, old, schema))
}

/** Where the value is that was looked at: for a field that is missing, the object that misses it. */
function judged({ field, reason }: FieldError): Step[] {
  const steps = [...field.matchAll(/\[(\d+)\]|\[([^\]]*)\]|([^.[\]]+)/g)].map(([, index, key, name]) =>
    index !== undefined ? Number(index) : (key ?? name ?? ''),
  )
  return reason === 'FieldValueRequired' ? steps.slice(0, -1) : steps
}

function isUntouched(
  steps: readonly Step[],
  value: unknown,
  old: unknown,
  schema: JSONSchemaProps | undefined,
): boolean {
  if (old === undefined) return false
  if (isDeepStrictEqual(value, old)) return true
  const [step, ...rest] = steps
  if (step === undefined) return false
  if (typeof step === 'number') {
    if (!Array.isArray(value)) return false
    const item: unknown = value[step]
    const items = schema?.items && !Array.isArray(schema.items) ? schema.items : undefined
    return isUntouched(rest, item, sameItem(item, old, schema), items)
  }
  if (!isMap(value) || !isMap(old)) return false
  const { properties = {}, additionalProperties } = schema ?? {}
  const inner =
    properties[step] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
  return isUntouched(rest, value[step], old[step], inner)
}

/** Only items of lists by keys are known again. */
function sameItem(item: unknown, old: unknown, schema: JSONSchemaProps | undefined): unknown {
  const keys = schema?.['x-kubernetes-list-map-keys']
  if (schema?.['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old) || !isMap(item))
    return undefined
  return old.find(one => isMap(one) && keys.every(key => one[key] === item[key]))
}
