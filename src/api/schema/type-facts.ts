// Facts about every API type and field, parsed from schema.generated.ts when a type is first asked for.
//
// A line is 'FLAGS;FIELD;FIELD…'. Flags: ^ a kind with apiVersion and kind, ! atomic.
// A field is 'JSONNAME NUMBER TYPE WORDS…'; JSONNAME ~ marks a struct whose fields appear in the outer JSON object.
// TYPE: one letter for a scalar, '<' and its Go name where that is named, @Special, * pointer, [] list,
// {} map with string keys (both with a '(GoName)' where named), otherwise the name of a struct.
// Words: e omitempty, z omitzero, o +optional, r +required, L listType, K listMapKeys, M mapType,
// P patchStrategy, k patchMergeKey, D default as JSON.
import { enumValues, packageGroups, typeLines } from './schema.generated.ts'

export type ScalarName = 'string' | 'bool' | 'int32' | 'int64' | 'uint32' | 'uint64' | 'float64' | 'bytes'

export type SpecialName =
  | 'Quantity'
  | 'IntOrString'
  | 'Time'
  | 'MicroTime'
  | 'Duration'
  | 'FieldsV1'
  | 'RawExtension'
  | 'JSON'
  | 'JSONSchemaPropsOrBool'
  | 'JSONSchemaPropsOrArray'
  | 'JSONSchemaPropsOrStringArray'

/** `named` is the type's name in Go where it has one: 'core/v1.RestartPolicy'. Bytes are base64 text in JSON. */
export type ValueType = { pointer?: true; named?: string } & (
  | { is: 'scalar'; scalar: ScalarName }
  | { is: 'special'; special: SpecialName }
  | { is: 'struct'; type: string }
  | { is: 'list'; of: ValueType }
  | { is: 'map'; of: ValueType }
)

export interface FieldFacts {
  /** As in JSON. */
  name: string
  /** Protobuf field number; 0 when protobuf does not carry the field. */
  number: number
  type: ValueType
  omit: 'never' | 'omitempty' | 'omitzero'
  optional: boolean
  required: boolean
  listType?: 'atomic' | 'set' | 'map'
  listMapKeys: readonly string[]
  mapType?: 'atomic' | 'granular'
  /** 'merge', 'replace', 'retainKeys'. */
  patchStrategy: readonly string[]
  patchMergeKey?: string
  default?: unknown
  /** Warning texts for a field that upstream does not have; see acceptExtraField. */
  warn?: (path: string) => string
  /** Not in Go's struct: does not show where the struct is printed, unless it is set. */
  extra?: true
}

/** A struct whose fields are written into the outer JSON object, but are a message of their own in protobuf. */
export interface InlineFacts {
  number: number
  type: string
}

export interface TypeFacts {
  /** 'core/v1.PodSpec'. */
  name: string
  /** Has apiVersion and kind. */
  isKind: boolean
  /** Server-side apply treats values as one piece. */
  atomic: boolean
  /** Fields of the JSON object in Go's order, inline ones included; apiVersion and kind are not among them. */
  fields: readonly FieldFacts[]
  byName: ReadonlyMap<string, FieldFacts>
  own: readonly (FieldFacts | InlineFacts)[]
}

const parsed = new Map<string, TypeFacts>()
const extras = new Map<string, FieldFacts[]>()

/** Facts of the type that is called so here: 'core/v1.PodSpec'. Throws for an unknown name. */
export function typeOf(name: string): TypeFacts {
  let facts = parsed.get(name)
  if (!facts) {
    const line = Object.hasOwn(typeLines, name) ? typeLines[name] : undefined
    if (line === undefined) throw new Error(`no type ${name}`)
    facts = parseType(name, line)
    parsed.set(name, facts)
  }
  return facts
}

let packageOfGroupVersion: Map<string, string> | undefined

/**
 * Facts of a kind; undefined when it is not built in. The kinds of meta/v1 (Status, DeleteOptions, WatchEvent)
 * belong to every group version, as upstream registers them.
 */
export function findType(apiVersion: string, kind: string): TypeFacts | undefined {
  packageOfGroupVersion ??= new Map(
    Object.entries(packageGroups).map(([short, group]) => {
      const version = short.slice(short.indexOf('/') + 1)
      return [group ? `${group}/${version}` : version, short]
    }),
  )
  const short = packageOfGroupVersion.get(apiVersion)
  if (!short) return undefined
  for (const name of [`${short}.${kind}`, `meta/v1.${kind}`]) {
    if (Object.hasOwn(typeLines, name) && typeOf(name).isKind) return typeOf(name)
  }
  return undefined
}

/** Names of all types, in the order of the packages. */
export function typeNames(): string[] {
  return Object.keys(typeLines)
}

/** The values that a named string type allows; undefined where Go does not list them. */
export function enumOf(named: string): string[] | undefined {
  return Object.hasOwn(enumValues, named) ? enumValues[named]!.split(' ') : undefined
}

/** The API group of a package name as in type names: 'rbac/v1' is 'rbac.authorization.k8s.io'. */
export function groupOfPackage(short: string): string {
  return packageGroups[short] ?? ''
}

/**
 * Makes decoding accept a field that upstream's type lacks. Call before anything is decoded.
 * `warn` gives the warning that an object with the field gets, for its path ('spec.containers[0].lifecycle.type').
 */
export function acceptExtraField(
  typeName: string,
  field: string,
  type: ValueType,
  warn?: (path: string) => string,
): void {
  const facts: FieldFacts = {
    name: field,
    number: 0,
    type,
    omit: 'omitempty',
    optional: true,
    required: false,
    listMapKeys: [],
    patchStrategy: [],
    extra: true,
    ...(warn && { warn }),
  }
  extras.set(typeName, [...(extras.get(typeName) ?? []), facts])
  parsed.clear()
}

function parseType(name: string, line: string): TypeFacts {
  const [flags = '', ...texts] = line.split(';')
  const own = [...texts.map(parseField), ...(extras.get(name) ?? [])]
  const fields = own.flatMap(field => ('name' in field ? [field] : typeOf(field.type).fields))
  return {
    name,
    isKind: flags.includes('^'),
    atomic: flags.includes('!'),
    own,
    fields,
    byName: new Map(fields.map(field => [field.name, field])),
  }
}

function parseField(text: string): FieldFacts | InlineFacts {
  const [name, number, type, ...words] = text.split(' ') as [string, string, string, ...string[]]
  if (name === '~') return { number: Number(number), type }
  const field: FieldFacts = {
    name,
    number: Number(number),
    type: parseValueType(type),
    omit: 'never',
    optional: false,
    required: false,
    listMapKeys: [],
    patchStrategy: [],
  }
  for (const word of words) readWord(field, word)
  return field
}

function readWord(field: FieldFacts, word: string): void {
  const value = word.slice(2)
  if (word === 'e') field.omit = 'omitempty'
  else if (word === 'z') field.omit = 'omitzero'
  else if (word === 'o') field.optional = true
  else if (word === 'r') field.required = true
  else if (word.startsWith('L=')) field.listType = value as 'atomic' | 'set' | 'map'
  else if (word.startsWith('K=')) field.listMapKeys = value.split(',')
  else if (word.startsWith('M=')) field.mapType = value as 'atomic' | 'granular'
  else if (word.startsWith('P=')) field.patchStrategy = value.split(',')
  else if (word.startsWith('k=')) field.patchMergeKey = value
  else if (word.startsWith('D=')) field.default = JSON.parse(value)
}

const SCALARS: Record<string, ScalarName> = {
  s: 'string',
  b: 'bool',
  i: 'int32',
  l: 'int64',
  u: 'uint32',
  U: 'uint64',
  d: 'float64',
  y: 'bytes',
}

function parseValueType(text: string): ValueType {
  if (text.startsWith('*')) return { ...parseValueType(text.slice(1)), pointer: true }
  if (text.startsWith('@')) return { is: 'special', special: text.slice(1) as SpecialName }
  const collection = /^(\[\]|\{\})(?:\(([^)]*)\))?(.*)$/.exec(text)
  if (collection) {
    const [, is, named, of] = collection
    return { is: is === '[]' ? 'list' : 'map', ...(named && { named }), of: parseValueType(of!) }
  }
  const [letter, named] = text.split('<')
  const scalar = SCALARS[letter!]
  return scalar ? { is: 'scalar', scalar, ...(named && { named }) } : { is: 'struct', type: text }
}
