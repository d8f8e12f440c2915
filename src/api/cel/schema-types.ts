// The types that expressions see, from the schema of a custom kind and from the facts of a built-in one.
// Upstream: apiserver pkg/cel/common/schemas.go, pkg/cel/openapi/resolver.
import { type TypeFacts, typeOf, type ValueType } from '../schema/type-facts.ts'
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import { escapedFieldName } from './field-names.ts'

export interface CelTypes {
  /** The type of the whole. */
  root: string
  /** Objects by name, those that others use first. */
  types: Record<string, Record<string, string>>
}

const ANY = 'dyn'

/** `isKind`: the schema is that of whole objects, which have metadata whatever it says. */
export function typesOfSchema(schema: JSONSchemaProps, isKind: boolean): CelTypes {
  const types: CelTypes['types'] = {}
  return { root: schemaType(schema, 'Self', types, isKind), types }
}

function schemaType(
  schema: JSONSchemaProps,
  name: string,
  types: CelTypes['types'],
  isKind = schema['x-kubernetes-embedded-resource'] === true,
): string {
  if (schema['x-kubernetes-int-or-string']) return ANY
  const { type, items, properties, additionalProperties } = schema
  if (type === 'array') {
    const of = items && !Array.isArray(items) ? schemaType(items, `${name}.item`, types) : ANY
    return `list<${of}>`
  }
  if (type !== 'object') return scalarType(schema)
  if (typeof additionalProperties === 'object') {
    return `map<string, ${schemaType(additionalProperties, `${name}.value`, types)}>`
  }
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] || additionalProperties === true
  if (!properties && isOpen) return ANY
  const fields: Record<string, string> = isKind
    ? { apiVersion: 'string', kind: 'string', metadata: META }
    : {}
  for (const [field, inner] of Object.entries(properties ?? {})) {
    const known = escapedFieldName(field)
    if (!isKind || field !== 'metadata') fields[known] = schemaType(inner, `${name}.${known}`, types)
  }
  if (isKind) types[META] ??= { name: 'string', generateName: 'string' }
  types[name] = fields
  return name
}

const META = 'Self.objectMeta'

/** What has a format reads as text here and as time or bytes upstream: not to be judged by its type. */
const SPECIAL_FORMATS = ['byte', 'date-time', 'date', 'duration']

function scalarType({ type, format = '' }: JSONSchemaProps): string {
  if (type === 'integer') return 'int'
  if (type === 'number') return 'double'
  if (type === 'boolean') return 'bool'
  return type === 'string' && !SPECIAL_FORMATS.includes(format) ? 'string' : ANY
}

/** Of objects of a built-in kind. */
export function typesOfKind(facts: TypeFacts): CelTypes {
  const types: CelTypes['types'] = {}
  const seen = new Set<string>()
  const root = structType(facts, types, seen)
  types[root] = { ...types[root], apiVersion: 'string', kind: 'string' }
  return { root, types }
}

function structType(facts: TypeFacts, types: CelTypes['types'], seen: Set<string>): string {
  const name = facts.name.replaceAll('/', '.')
  if (types[name]) return name
  // Only schemas of schemas hold themselves.
  if (seen.has(name)) return ANY
  seen.add(name)
  const fields = facts.fields.map(field => [escapedFieldName(field.name), valueType(field.type, types, seen)])
  types[name] = Object.fromEntries(fields)
  return name
}

function valueType(type: ValueType, types: CelTypes['types'], seen: Set<string>): string {
  switch (type.is) {
    case 'struct':
      return structType(typeOf(type.type), types, seen)
    case 'list':
      return `list<${valueType(type.of, types, seen)}>`
    case 'map':
      return `map<string, ${valueType(type.of, types, seen)}>`
    case 'special':
      return ANY
    default:
      return scalarNames[type.scalar] ?? ANY
  }
}

const scalarNames: Record<string, string> = {
  string: 'string',
  bool: 'bool',
  int32: 'int',
  int64: 'int',
  uint32: 'int',
  uint64: 'int',
  float64: 'double',
}
