// Turns parsed JSON into what Go's decoding into the typed struct and encoding again would give:
// fields in Go's order, zero values dropped or filled in, quantities and times canonical, unknown fields left out.
import { badBase64, FieldTypeError, goTypeName } from './go-type-error.ts'
import { canonicalQuantity, canonicalTime, intOrString, jsonTypeName } from './special-values.ts'
import { type FieldFacts, type TypeFacts, typeOf, type ValueType } from './type-facts.ts'

type Plain = Record<string, unknown>

/** What a walk finds besides the value. */
export interface Findings {
  /** Paths of unknown fields, 'spec.containers[0].bar', in the order of the document. */
  unknown: string[]
  /** Warnings of accepted extra fields. */
  warnings: string[]
}

/** Where the walk is: for unknown fields with indexes, for type errors without. */
interface Place {
  path: string
  fields: string
  /** Go name of the innermost struct. */
  struct: string
}

/** Throws FieldTypeError, or Error with Go's text where a value does not fit its type. */
export function normalise(type: TypeFacts, value: unknown, findings: Findings): Plain {
  return struct(type, value, { path: '', fields: '', struct: '' }, findings)
}

function struct(type: TypeFacts, value: unknown, place: Place, findings: Findings): Plain {
  if (value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    throw new FieldTypeError(jsonTypeName(value), place, goTypeName({ is: 'struct', type: type.name }))
  }
  const input = (value ?? {}) as Plain
  const read: Plain = {}
  const name = type.name.slice(type.name.indexOf('.') + 1)
  for (const key of Object.keys(input)) {
    if (type.isKind && (key === 'kind' || key === 'apiVersion')) continue
    const field = type.byName.get(key)
    const path = place.path ? `${place.path}.${key}` : key
    if (!field) {
      findings.unknown.push(path)
      continue
    }
    if (input[key] === null || input[key] === undefined) continue
    if (field.warn) findings.warnings.push(field.warn(path))
    const fields = place.fields ? `${place.fields}.${key}` : key
    read[key] = convert(field.type, input[key], { path, fields, struct: name }, findings)
  }
  return write(type, input, read, findings)
}

/** The object with its fields in Go's order. `read` holds the fields that were there and not null. */
function write(type: TypeFacts, input: Plain, read: Plain, findings: Findings): Plain {
  const output: Plain = {}
  if (type.isKind) {
    if (input.kind) output.kind = input.kind
    if (input.apiVersion) output.apiVersion = input.apiVersion
  }
  for (const field of type.fields) {
    let value = read[field.name]
    if (value === undefined) value = absent(field, findings)
    else if (field.omit !== 'never' && !field.type.pointer && isEmpty(value, field.type)) continue
    if (value !== undefined) output[field.name] = value
  }
  return output
}

/** What Go writes for a field that was not set. Lists and maps that it would write as null are empty here. */
function absent({ omit, type }: FieldFacts, findings: Findings): unknown {
  if (type.is === 'struct' && !type.pointer) {
    return omit === 'omitzero' ? undefined : struct(typeOf(type.type), {}, NOWHERE, findings)
  }
  if (type.is === 'special' && !type.pointer && type.special === 'Quantity' && omit !== 'omitzero') return '0'
  if (omit !== 'never') return undefined
  if (type.pointer) return null
  return zero(type)
}

const NOWHERE: Place = { path: '', fields: '', struct: '' }

function zero(type: ValueType): unknown {
  if (type.pointer) return null
  switch (type.is) {
    case 'scalar':
      return type.scalar === 'string' || type.scalar === 'bytes' ? '' : type.scalar === 'bool' ? false : 0
    case 'special':
      return { Quantity: '0', IntOrString: 0 }[type.special as string] ?? null
    case 'struct':
      return struct(typeOf(type.type), {}, NOWHERE, { unknown: [], warnings: [] })
    case 'list':
      return []
    case 'map':
      return {}
  }
}

function isEmpty(value: unknown, type: ValueType): boolean {
  switch (type.is) {
    case 'scalar':
      return value === '' || value === 0 || value === false
    case 'list':
      return (value as unknown[]).length === 0
    case 'map':
      return Object.keys(value as object).length === 0
    default:
      return false
  }
}

function convert(type: ValueType, value: unknown, place: Place, findings: Findings): unknown {
  switch (type.is) {
    case 'scalar':
      return scalar(type, value, place)
    case 'special':
      return special(type.special, value, place, findings)
    case 'struct':
      return struct(typeOf(type.type), value, place, findings)
    case 'list':
      return list(type, type.of, value, place, findings)
    case 'map':
      return map(type, type.of, value, place, findings)
  }
}

function list(type: ValueType, of: ValueType, value: unknown, place: Place, findings: Findings): unknown[] {
  if (!Array.isArray(value)) throw new FieldTypeError(jsonTypeName(value), place, goTypeName(type))
  return value.map((item, index) =>
    item === null || item === undefined
      ? zero(of)
      : convert(of, item, { ...place, path: `${place.path}[${index}]` }, findings),
  )
}

function map(type: ValueType, of: ValueType, value: unknown, place: Place, findings: Findings): Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FieldTypeError(jsonTypeName(value), place, goTypeName(type))
  }
  const output: Plain = {}
  for (const [key, item] of Object.entries(value)) {
    const read =
      item === null || item === undefined
        ? zero(of)
        : convert(of, item, { ...place, path: `${place.path}.${key}` }, findings)
    if (key !== '__proto__') output[key] = read
    else
      Object.defineProperty(output, key, {
        value: read,
        enumerable: true,
        writable: true,
        configurable: true,
      })
  }
  return output
}

const LIMITS: Record<string, [number, number]> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, 2 ** 64],
}

function scalar(type: ValueType & { is: 'scalar' }, value: unknown, place: Place): unknown {
  const wrong = (what: string) => new FieldTypeError(what, place, goTypeName(type))
  switch (type.scalar) {
    case 'string':
      if (typeof value !== 'string') throw wrong(jsonTypeName(value))
      return value
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(jsonTypeName(value))
      return value
    case 'bytes': {
      if (typeof value !== 'string') throw wrong(jsonTypeName(value))
      const bad = badBase64(value)
      if (bad !== undefined) throw new Error(`illegal base64 data at input byte ${bad}`)
      return value.replace(/[\r\n]/g, '')
    }
    case 'float64':
      if (typeof value !== 'number') throw wrong(jsonTypeName(value))
      return value
    default: {
      if (typeof value !== 'number') throw wrong(jsonTypeName(value))
      const [low, high] = LIMITS[type.scalar]!
      if (!Number.isInteger(value) || value < low || value > high) throw wrong(`number ${value}`)
      return value
    }
  }
}

const schemaProps = () => typeOf('apiextensions/v1.JSONSchemaProps')

function special(name: string, value: unknown, place: Place, findings: Findings): unknown {
  switch (name) {
    case 'Quantity':
      return canonicalQuantity(value)
    case 'IntOrString':
      return intOrString(value)
    case 'Time':
      return canonicalTime(value, 0)
    case 'MicroTime':
      return canonicalTime(value, 6) ?? undefined
    case 'JSONSchemaPropsOrBool':
      return typeof value === 'boolean' ? value : struct(schemaProps(), value, place, findings)
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrStringArray':
      if (!Array.isArray(value)) return struct(schemaProps(), value, place, findings)
      return value.map(item =>
        typeof item === 'string' ? item : struct(schemaProps(), item, place, findings),
      )
    default:
      return value
  }
}
