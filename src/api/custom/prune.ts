// Takes out of a custom object what its schema does not know, and fills in what the schema has defaults for.
// Upstream: apiextensions-apiserver pkg/apiserver/schema/{pruning,defaulting}.
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'

type Plain = Record<string, unknown>

const isMap = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What every object has, whatever its schema says of it. */
const OBJECT_FIELDS = new Set(['apiVersion', 'kind', 'metadata'])

/** Changes `value`; answers the paths of what was taken out. The root's apiVersion, kind and metadata stay. */
export function prune(value: unknown, schema: JSONSchemaProps | undefined): string[] {
  const gone: string[] = []
  pruneValue(value, schema, '', true, gone)
  return gone
}

function pruneValue(
  value: unknown,
  schema: JSONSchemaProps | undefined,
  path: string,
  isObject: boolean,
  gone: string[],
): void {
  if (!schema) return
  if (Array.isArray(value)) {
    const items = Array.isArray(schema.items) ? undefined : schema.items
    if (items) {
      for (const [index, item] of value.entries())
        pruneValue(item, items, `${path}[${index}]`, items['x-kubernetes-embedded-resource'] === true, gone)
    }
    return
  }
  if (isMap(value)) pruneMap(value, schema, path, isObject, gone)
}

function pruneMap(
  map: Plain,
  schema: JSONSchemaProps,
  path: string,
  isObject: boolean,
  gone: string[],
): void {
  const { additionalProperties, properties = {} } = schema
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true
  for (const key of Object.keys(map)) {
    if (isObject && OBJECT_FIELDS.has(key)) continue
    const at = path ? `${path}.${key}` : key
    const known =
      properties[key] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (known) pruneValue(map[key], known, at, known['x-kubernetes-embedded-resource'] === true, gone)
    else if (!keeps && additionalProperties !== true) {
      delete map[key]
      gone.push(at)
    }
  }
}

/** Changes `value`: absent fields get their default, and so do nulls where null is not a value. */
export function applySchemaDefaults(value: unknown, schema: JSONSchemaProps | undefined): void {
  if (!schema) return
  if (Array.isArray(value)) {
    const items = Array.isArray(schema.items) ? undefined : schema.items
    for (const item of value) applySchemaDefaults(item, items)
    return
  }
  if (!isMap(value)) return
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const isAbsent = value[key] === undefined || (value[key] === null && !property.nullable)
    if (isAbsent && property.default !== undefined) value[key] = structuredClone(property.default)
    else if (value[key] === null && !property.nullable && property.default === undefined) continue
    applySchemaDefaults(value[key], property)
  }
  if (typeof schema.additionalProperties !== 'object') return
  for (const [key, inner] of Object.entries(value)) {
    if (!schema.properties?.[key]) applySchemaDefaults(inner, schema.additionalProperties)
  }
}

/** Would defaults change the value? Spares objects that are whole a copy. */
export function lacksDefaults(value: unknown, schema: JSONSchemaProps | undefined): boolean {
  if (!schema) return false
  if (Array.isArray(value)) {
    const items = Array.isArray(schema.items) ? undefined : schema.items
    return value.some(item => lacksDefaults(item, items))
  }
  if (!isMap(value)) return false
  const { properties = {}, additionalProperties } = schema
  const ofProperties = Object.entries(properties).some(([key, property]) => {
    const isAbsent = value[key] === undefined || (value[key] === null && !property.nullable)
    return isAbsent ? property.default !== undefined : lacksDefaults(value[key], property)
  })
  if (ofProperties || typeof additionalProperties !== 'object') return ofProperties
  return Object.entries(value).some(
    ([key, inner]) => !properties[key] && lacksDefaults(inner, additionalProperties),
  )
}
