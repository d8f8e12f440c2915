// How a value is taken apart for field ownership: what is one piece, which lists are sets or maps, and by which keys.
// Source: the API's listType, listMapKey, mapType and structType markers; upstream k8s.io/kube-openapi schemaconv.
import {
  type FieldFacts,
  findType,
  type TypeFacts,
  typeOf,
  type ValueType,
} from '../../api/schema/type-facts.ts'
import type { JSONSchemaProps } from '../../api/types/apiextensions-v1.ts'

export interface ListKey {
  name: string
  /** Stands in where an item leaves the key out. */
  default?: unknown
}

export type Shape =
  /** One piece: scalars, atomic lists and maps. */
  | { is: 'leaf' }
  /** Declared fields; nothing else may be there. Go writes the `constant` ones always: missing, they are {}. */
  | { is: 'struct'; field(name: string): Shape | undefined; constant: readonly string[] }
  | { is: 'map'; of: Shape }
  | { is: 'set' }
  | { is: 'keyed'; keys: readonly ListKey[]; of: Shape }
  /** No schema: maps are taken apart, everything else is one piece. */
  | { is: 'free' }

const LEAF = { is: 'leaf' } as const
export const FREE: Shape = { is: 'free' }

const structs = new Map<TypeFacts, Shape>()

/** Of objects of a kind. Kinds that are not built in have the metadata's shape, and are free otherwise. */
export function shapeOfKind(apiVersion: string, kind: string): Shape {
  const facts = findType(apiVersion, kind)
  return facts ? kindShape(structOf(facts)) : CUSTOM
}

const isTypeMeta = (name: string) => name === 'apiVersion' || name === 'kind'

function kindShape(struct: Shape): Shape {
  if (struct.is !== 'struct') return struct
  return { ...struct, field: name => (isTypeMeta(name) ? LEAF : struct.field(name)) }
}

const CUSTOM: Shape = customRoot(() => FREE)

/** Of a custom kind, by the schema of its version. Upstream: the typed objects that apiextensions makes of schemas. */
export function shapeOfCustomKind(schema: JSONSchemaProps | undefined): Shape {
  const root = shapeOfSchema(schema)
  return root.is === 'struct' ? customRoot(name => root.field(name)) : CUSTOM
}

function customRoot(field: (name: string) => Shape | undefined): Shape {
  return {
    is: 'struct',
    constant: ['metadata'],
    field: name => {
      if (isTypeMeta(name)) return LEAF
      return name === 'metadata' ? structOf(typeOf('meta/v1.ObjectMeta')) : field(name)
    },
  }
}

function shapeOfSchema(schema: JSONSchemaProps | undefined): Shape {
  if (!schema || schema['x-kubernetes-int-or-string']) return schema ? LEAF : FREE
  if (schema.type === 'array') return listOfSchema(schema)
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
  const { properties, additionalProperties } = schema
  if (schema.type !== 'object') return isOpen ? FREE : LEAF
  if (schema['x-kubernetes-map-type'] === 'atomic') return LEAF
  if (properties) {
    const fields = new Map(Object.entries(properties).map(([name, one]) => [name, shapeOfSchema(one)]))
    return { is: 'struct', constant: [], field: name => fields.get(name) ?? (isOpen ? FREE : undefined) }
  }
  return typeof additionalProperties === 'object'
    ? { is: 'map', of: shapeOfSchema(additionalProperties as JSONSchemaProps) }
    : FREE
}

function listOfSchema(schema: JSONSchemaProps): Shape {
  const items = schema.items as JSONSchemaProps | undefined
  const type = schema['x-kubernetes-list-type']
  if (type === 'set') return { is: 'set' }
  if (type !== 'map') return LEAF
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((name): ListKey => {
    const fallback = items?.properties?.[name]?.default
    return { name, ...(fallback !== undefined && { default: fallback }) }
  })
  return { is: 'keyed', keys, of: shapeOfSchema(items) }
}

function structOf(facts: TypeFacts): Shape {
  if (facts.atomic) return LEAF
  let shape = structs.get(facts)
  if (!shape) {
    const fields = new Map<string, Shape>()
    const field = (name: string) => {
      const known = fields.get(name)
      const declared = facts.byName.get(name)
      if (known || !declared) return known
      const found = fieldShape(declared)
      fields.set(name, found)
      return found
    }
    const constant = facts.fields.filter(isConstant).map(({ name }) => name)
    shape = { is: 'struct', field, constant }
    structs.set(facts, shape)
  }
  return shape
}

const isConstant = ({ type, omit }: FieldFacts) =>
  type.is === 'struct' && !type.pointer && omit !== 'omitzero'

function fieldShape(field: FieldFacts): Shape {
  const { type } = field
  if (type.is === 'list') return listShape(field, type.of)
  if (field.mapType === 'atomic') return LEAF
  return valueShape(type)
}

function valueShape(type: ValueType): Shape {
  switch (type.is) {
    case 'struct':
      return structOf(typeOf(type.type))
    case 'map':
      return { is: 'map', of: valueShape(type.of) }
    case 'special':
      return type.special === 'RawExtension' || type.special === 'JSON' ? FREE : LEAF
    default:
      return LEAF
  }
}

/** Without a list type, a patch strategy of merge says as much. */
function listShape(
  { listType, listMapKeys, patchStrategy, patchMergeKey }: FieldFacts,
  of: ValueType,
): Shape {
  const merges = listType === undefined && patchStrategy.includes('merge')
  const keys = listType === 'map' ? listMapKeys : merges && patchMergeKey ? [patchMergeKey] : []
  if (keys.length > 0) return { is: 'keyed', keys: keys.map(name => keyOf(name, of)), of: valueShape(of) }
  return listType === 'set' || merges ? { is: 'set' } : LEAF
}

function keyOf(name: string, of: ValueType): ListKey {
  const fallback = of.is === 'struct' ? typeOf(of.type).byName.get(name)?.default : undefined
  return { name, ...(fallback !== undefined && { default: fallback }) }
}

type Fields = Record<string, unknown>

export const isMap = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value cannot be taken apart as its schema says. */
export class ShapeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ShapeError'
  }
}

export type Items = Map<string, unknown[]>

/** List items by path element, duplicates together, in the list's order. Throws ShapeError. */
export function itemsOf(list: readonly unknown[], shape: Shape & { is: 'set' | 'keyed' }): Items {
  const items: Items = new Map()
  for (const item of list) {
    const element = shape.is === 'set' ? `v:${JSON.stringify(item)}` : keyedElement(item, shape.keys)
    const same = items.get(element)
    if (same) same.push(item)
    else items.set(element, [item])
  }
  return items
}

function keyedElement(item: unknown, keys: readonly ListKey[]): string {
  if (!isMap(item)) throw new ShapeError('associative list with keys may not have non-map elements')
  const found: Fields = {}
  for (const { name, default: fallback } of keys.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const value = item[name] ?? fallback
    if (value !== undefined && value !== null) found[name] = value
  }
  if (Object.keys(found).length > 0) return `k:${JSON.stringify(found)}`
  const names = keys.map(({ name }) => JSON.stringify(name)).join(', ')
  throw new ShapeError(
    `associative list with keys has an element that omits all key fields ${names} (and doesn't have default values for any key fields)`,
  )
}

export type Resolved = Exclude<Shape, { is: 'free' }>

/** The shape that a value has where the schema leaves it open. */
export function resolve(shape: Shape, ...values: readonly unknown[]): Resolved {
  if (shape.is !== 'free') return shape
  const known = values.filter(value => value !== undefined && value !== null)
  return known.length > 0 && known.every(isMap) ? { is: 'map', of: FREE } : LEAF
}

/** The shape of a map's or struct's entry; undefined for a field that the schema does not declare. */
export const entryShape = (shape: Shape & { is: 'struct' | 'map' }, name: string): Shape | undefined =>
  shape.is === 'struct' ? shape.field(name) : shape.of
