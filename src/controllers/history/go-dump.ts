// Prints an API value as Go prints the struct that holds it, which is what upstream's hashes are made of.
// Format: spew's %#v with sorted keys, without methods, pointer addresses and capacities (k8s.io/utils/dump.ForHash).
import {
  type FieldFacts,
  type InlineFacts,
  type SpecialName,
  typeOf,
  type ValueType,
} from '../../api/schema/type-facts.ts'
import { goFieldName } from './go-names.ts'

type Fields = Readonly<Record<string, unknown>>

const SCALAR_TYPES: Record<string, string> = { bytes: '[]uint8' }
const ZERO: Record<string, string> = { string: '', bool: 'false', bytes: '<nil>' }
const SPECIAL_TYPES: Partial<Record<SpecialName, string>> = {
  Quantity: 'resource.Quantity',
  IntOrString: 'intstr.IntOrString',
  Time: 'v1.Time',
  MicroTime: 'v1.MicroTime',
  FieldsV1: 'v1.FieldsV1',
}

/** `type` as type facts name it: 'core/v1.PodTemplateSpec'. What is empty counts as absent, as after protobuf. */
export function dumpForHash(type: string, value: object): string {
  return `(${goTypeName(type)})${struct(type, value as Fields)}`
}

/** 'core/v1.PodSpec' is v1.PodSpec in Go. */
const goTypeName = (type: string) => type.slice(type.indexOf('/') + 1)

function struct(type: string, value: Fields): string {
  return `{${typeOf(type)
    .own.filter(own => !('extra' in own) || value[own.name] !== undefined)
    .map(own => ownField(type, own, value))
    .join(' ')}}`
}

function ownField(type: string, own: FieldFacts | InlineFacts, value: Fields): string {
  if ('name' in own) {
    const text = own.name === 'uid' ? `(types.UID)${value.uid ?? ''}` : typed(own.type, value[own.name])
    return `${goFieldName(type, own.name)}:${text}`
  }
  return `${own.type.slice(own.type.indexOf('.') + 1)}:(${goTypeName(own.type)})${struct(own.type, value)}`
}

function typed(type: ValueType, value: unknown): string {
  return `(${typeText(type)})${plain(type, value)}`
}

function typeText(type: ValueType): string {
  return `${type.pointer ? '*' : ''}${type.named ? goTypeName(type.named) : unnamed(type)}`
}

function unnamed(type: ValueType): string {
  switch (type.is) {
    case 'scalar':
      return SCALAR_TYPES[type.scalar] ?? type.scalar
    case 'special':
      return SPECIAL_TYPES[type.special] ?? type.special
    case 'struct':
      return goTypeName(type.type)
    case 'list':
      return `[]${typeText(type.of)}`
    case 'map':
      return `map[string]${typeText(type.of)}`
  }
}

/** Without its type, as elements of lists and maps are printed. */
function plain(type: ValueType, value: unknown): string {
  if (type.pointer && (value === undefined || value === null)) return '<nil>'
  switch (type.is) {
    case 'scalar':
      return value === undefined ? (ZERO[type.scalar] ?? '0') : String(value)
    case 'special':
      return special(type.special, value)
    case 'struct':
      return struct(type.type, (value ?? {}) as Fields)
    case 'list':
      return list(type.of, (value ?? []) as readonly unknown[])
    case 'map':
      return map(type.of, (value ?? {}) as Fields)
  }
}

function list(of: ValueType, items: readonly unknown[]): string {
  return items.length === 0 ? '<nil>' : `[${items.map(item => element(of, item)).join(' ')}]`
}

function map(of: ValueType, entries: Fields): string {
  const keys = Object.keys(entries).sort()
  return keys.length === 0
    ? '<nil>'
    : `map[${keys.map(key => `${key}:${element(of, entries[key])}`).join(' ')}]`
}

/** A pointer as an element shows its indirection only. */
const element = (of: ValueType, value: unknown) => (of.pointer ? `<*>${plain(of, value)}` : plain(of, value))

function special(name: SpecialName, value: unknown): string {
  if (name === 'Quantity') return quantity(String(value ?? ''))
  if (name === 'IntOrString') return intOrString(value as number | string | undefined)
  if (name === 'Time' || name === 'MicroTime') return time(value as string | undefined)
  return value === undefined ? '<nil>' : String(value)
}

function intOrString(value: number | string = 0): string {
  return typeof value === 'number'
    ? `{Type:(intstr.Type)0 IntVal:(int32)${value} StrVal:(string)}`
    : `{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)${value}}`
}

/** Templates carry no times; one that does is told apart by its text. */
function time(value: string | undefined | null): string {
  const zero = '(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}'
  return value ? `{Time:(time.Time)${value}}` : `{Time:${zero}}`
}

const DECIMAL_SCALES: Record<string, number> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const BINARY_EXPONENTS: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }

/** The inner parts of resource.Quantity after ParseQuantity has read the canonical text. */
function quantity(text: string): string {
  const [, digits = '0', suffix = ''] = /^([+-]?\d+)(.*)$/.exec(text) ?? []
  const binary = BINARY_EXPONENTS[suffix]
  const parts = (value: bigint, scale: number, cached: string, format: string) =>
    `{i:(resource.int64Amount){value:(int64)${value} scale:(resource.Scale)${scale}} ` +
    `d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)${cached} Format:(resource.Format)${format}}`
  if (text === '' || text === '0') return parts(0n, 0, text, text === '' ? '' : 'DecimalSI')
  if (binary !== undefined) {
    // Upstream keeps the text only where the low bits show that it cannot be shortened.
    const cached = (BigInt(digits) & 7n) === 0n ? '' : text
    return parts(BigInt(digits) << BigInt(binary), 0, cached, 'BinarySI')
  }
  const scale = DECIMAL_SCALES[suffix]
  if (scale !== undefined) return parts(BigInt(digits), scale, text, 'DecimalSI')
  return parts(BigInt(digits), Number(suffix.slice(1)), text, 'DecimalExponent')
}
