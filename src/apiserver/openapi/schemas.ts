// JSON Schemas of API types as OpenAPI documents carry them, made from the facts of src/api/schema.
import {
  enumOf,
  type FieldFacts,
  groupOfPackage,
  type SpecialName,
  typeOf,
  type ValueType,
} from '../../api/schema/type-facts.ts'
import { describeField, describeType } from './descriptions.ts'
import { schemaName, specialSchemaName } from './schema-names.ts'

export type Json = Record<string, unknown>

/** Version 3 wraps references that have siblings in allOf and states defaults; version 2 does neither. */
export type OpenApiVersion = 2 | 3

const REF = { 2: '#/definitions/', 3: '#/components/schemas/' } as const

/** Schemas of some types and everything they refer to, by their published names, sorted. */
export function schemaClosure(types: Iterable<string>, version: OpenApiVersion): Record<string, Json> {
  const builder = new SchemaBuilder(version)
  for (const type of types) builder.add(type)
  return builder.sorted()
}

const SPECIAL_SCHEMAS: Record<string, (version: OpenApiVersion) => Json> = {
  Quantity: version =>
    version === 3 ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' },
  IntOrString: version =>
    version === 3
      ? { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }
      : { type: 'string', format: 'int-or-string' },
  Time: () => ({ type: 'string', format: 'date-time' }),
  MicroTime: () => ({ type: 'string', format: 'date-time' }),
  Duration: () => ({ type: 'string' }),
  FieldsV1: () => ({ type: 'object' }),
  RawExtension: () => ({ type: 'object' }),
}

const SCALAR_SCHEMAS: Record<string, Json> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  uint32: { type: 'integer', format: 'int64' },
  uint64: { type: 'integer', format: 'int64' },
  float64: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
}

class SchemaBuilder {
  readonly #schemas = new Map<string, Json>()
  readonly #version: OpenApiVersion

  constructor(version: OpenApiVersion) {
    this.#version = version
  }

  sorted(): Record<string, Json> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  add(type: string): void {
    const name = schemaName(type)
    if (this.#schemas.has(name)) return
    const schema: Json = {}
    this.#schemas.set(name, schema)
    Object.assign(schema, this.#object(type))
  }

  #object(type: string): Json {
    const facts = typeOf(type)
    const description = describeType(type)
    const properties: Record<string, Json> = {}
    if (facts.isKind) {
      for (const field of ['apiVersion', 'kind']) {
        properties[field] = { description: describeField(type, field), type: 'string' }
      }
    }
    for (const field of facts.fields) properties[field.name] = this.#property(type, field)
    const required = facts.fields.filter(isRequired).map(field => field.name)
    const kinds = facts.isKind ? groupVersionKinds(type) : []
    return {
      ...(description && { description }),
      type: 'object',
      ...(Object.keys(properties).length > 0 && { properties: sortKeys(properties) }),
      ...(required.length > 0 && { required: required.sort() }),
      ...(kinds.length > 0 && { 'x-kubernetes-group-version-kind': kinds }),
      ...(facts.atomic && { 'x-kubernetes-map-type': 'atomic' }),
    }
  }

  #property(type: string, field: FieldFacts): Json {
    const description = describeField(type, field.name)
    const byDefault = this.#version === 3 ? defaultOf(field.type, field) : undefined
    const { patchStrategy, listMapKeys } = field
    return this.#value(field.type, {
      ...(description && { description }),
      ...(byDefault !== undefined && { default: byDefault }),
      ...(field.listType && { 'x-kubernetes-list-type': field.listType }),
      ...(listMapKeys.length > 0 && { 'x-kubernetes-list-map-keys': listMapKeys }),
      ...(field.mapType && { 'x-kubernetes-map-type': field.mapType }),
      ...(patchStrategy.length > 0 && { 'x-kubernetes-patch-strategy': patchStrategy.join(',') }),
      ...(field.patchMergeKey && { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
    })
  }

  #value(type: ValueType, more: Json): Json {
    switch (type.is) {
      case 'scalar': {
        const values = type.named && enumOf(type.named)
        return { ...more, ...SCALAR_SCHEMAS[type.scalar], ...(values && { enum: values }) }
      }
      case 'special':
        return this.#reference(this.#special(type.special), more)
      case 'struct':
        this.add(type.type)
        return this.#reference(schemaName(type.type), more)
      case 'list':
        return { ...more, type: 'array', items: this.#value(type.of, this.#elementDefault(type.of)) }
      case 'map':
        return {
          ...more,
          type: 'object',
          additionalProperties: this.#value(type.of, this.#elementDefault(type.of)),
        }
    }
  }

  #elementDefault(type: ValueType): Json {
    const value = this.#version === 3 ? defaultOf(type) : undefined
    return value === undefined ? {} : { default: value }
  }

  #special(special: SpecialName): string {
    const name = specialSchemaName(special)
    if (!this.#schemas.has(name)) {
      const description = describeType(special)
      const schema = SPECIAL_SCHEMAS[special]?.(this.#version) ?? {}
      this.#schemas.set(name, { ...(description && { description }), ...schema })
    }
    return name
  }

  #reference(name: string, more: Json): Json {
    const $ref = REF[this.#version] + name
    if (this.#version === 2 || Object.keys(more).length === 0) return { ...more, $ref }
    return { allOf: [{ $ref }], ...more }
  }
}

export function isRequired(field: FieldFacts): boolean {
  return field.required || (!field.optional && field.omit === 'never')
}

/** What Go fills in by itself: {} for a struct, the zero value for a scalar that is always written. */
function defaultOf(type: ValueType, field?: FieldFacts): unknown {
  if (field?.default !== undefined) return field.default
  if (type.pointer) return undefined
  if (type.is === 'struct') return {}
  if (type.is !== 'scalar' || (field && field.omit !== 'never') || type.scalar === 'bytes') return undefined
  return type.scalar === 'string' ? '' : type.scalar === 'bool' ? false : 0
}

/** The kinds that a type stands for. */
export function groupVersionKinds(type: string): Json[] {
  const [short, kind] = type.split('.') as [string, string]
  const version = short.slice(short.indexOf('/') + 1)
  // meta/v1's kinds belong to every group; the core group's entry is the one that clients look for.
  const group = short === 'meta/v1' ? '' : groupOfPackage(short)
  return [{ group, kind, version }]
}

function sortKeys(object: Record<string, Json>): Record<string, Json> {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}
