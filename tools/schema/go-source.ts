// Reads type declarations, struct tags, comment markers and string constants from gofmt-ed Go files.
// Not a Go parser: it knows the layout that Kubernetes' API packages use and throws on what it cannot read.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export type GoExpr =
  | { is: 'basic'; name: string }
  /** `pkg` is an import path. */
  | { is: 'named'; pkg: string; name: string }
  | { is: 'pointer' | 'slice'; of: GoExpr }
  | { is: 'map'; key: GoExpr; of: GoExpr }

export interface GoField {
  go: string
  /** '' for inline fields. */
  json: string
  inline: boolean
  omit: '' | 'omitempty' | 'omitzero'
  type: GoExpr
  /** Protobuf field number; 0 when the field is not written to protobuf. */
  number: number
  optional: boolean
  required: boolean
  patchStrategy?: string
  patchMergeKey?: string
  listType?: string
  listMapKeys: string[]
  mapType?: string
  default?: string
}

export interface GoType {
  pkg: string
  name: string
  /** Set for structs. */
  fields?: GoField[]
  /** Set for everything else. */
  underlying?: GoExpr
  isEnum: boolean
  /** Values of the constants declared with this type, in source order. */
  values: string[]
  markers: string[]
  structType?: string
}

const BASIC = new Set(
  'string bool int int32 int64 uint32 uint64 uint8 byte float32 float64 error any rune uintptr'.split(' '),
)

export function readGoPackage(root: string, pkg: string): Map<string, GoType> {
  const types = new Map<string, GoType>()
  const constants: { type: string; value: string }[] = []
  const dir = path.join(root, pkg)
  for (const file of readdirSync(dir).sort()) {
    if (!file.endsWith('.go') || /_test\.go$|^zz_|generated|_swagger_doc/.test(file)) continue
    readFile(readFileSync(path.join(dir, file), 'utf8'), pkg, types, constants)
  }
  for (const { type, value } of constants) {
    const owner = types.get(type)
    if (owner && !owner.values.includes(value)) owner.values.push(value)
  }
  return types
}

function readFile(
  text: string,
  pkg: string,
  types: Map<string, GoType>,
  constants: { type: string; value: string }[],
): void {
  const imports = readImports(text)
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    const constant = /^(?:const)?\s+\w+\s+(\w+)\s*=\s*"([^"]*)"/.exec(line)
    if (constant && (line.startsWith('const') || line.startsWith('\t'))) {
      constants.push({ type: constant[1]!, value: constant[2]! })
      continue
    }
    const declared = /^type (\w+) (=? ?)(.*)$/.exec(line)
    if (!declared) continue
    const [, name, , rest] = declared as unknown as [string, string, string, string]
    const markers = markersAbove(lines, at)
    const type: GoType = { pkg, name, isEnum: has(markers, 'enum'), values: [], markers }
    const structType = markerValue(markers, 'structType')
    if (structType) type.structType = structType
    if (/^struct \{$/.test(rest)) {
      const body = readStruct(lines, at + 1, pkg, imports)
      type.fields = body.fields
      at = body.end
    } else if (/^struct ?\{\}$/.test(rest)) type.fields = []
    else if (/^(interface|func)\b/.test(rest)) continue
    else type.underlying = parseExpr(rest.replace(/\s*\/\/.*$/, '').trim(), pkg, imports)
    if (name !== 'InternalEvent') types.set(name, type)
  }
}

function readImports(text: string): Map<string, string> {
  const imports = new Map<string, string>()
  for (const [, alias, target] of text.matchAll(/^(?:import |\t)(\w+ )?"([\w./-]+)"$/gm)) {
    imports.set((alias ?? target!.split('/').at(-1)!).trim(), target!)
  }
  return imports
}

/** Comment markers ('+optional' as 'optional') of the comment directly above line `at`, a blank line apart included. */
function markersAbove(lines: string[], at: number): string[] {
  const markers: string[] = []
  let blanks = 0
  for (let i = at - 1; i >= 0; i--) {
    const line = lines[i]!.trim()
    if (line === '' && markers.length === 0 && blanks++ === 0) continue
    const comment = /^\/\/\s*(\+)?(.*)$/.exec(line)
    if (!comment) break
    if (comment[1]) markers.unshift(comment[2]!.trim())
  }
  return markers
}

const has = (markers: string[], name: string) => markers.some(m => m === name || m.startsWith(`${name}=`))
const markerValue = (markers: string[], name: string) =>
  markers.find(m => m.startsWith(`${name}=`))?.slice(name.length + 1)

function readStruct(lines: string[], start: number, pkg: string, imports: Map<string, string>) {
  const fields: GoField[] = []
  for (let at = start; ; at++) {
    const line = lines[at]
    if (line === undefined) throw new Error(`${pkg}: a struct does not end`)
    if (line.startsWith('}')) return { fields, end: at }
    const found = /^\t(?:(\w+)\s+)?([\w.*[\]]+)\s*(?:`(.*)`)?(?:\s*\/\/.*)?$/.exec(line)
    if (!found || line.trim().startsWith('//')) continue
    const [, goName, typeText, tags = ''] = found
    const type = parseExpr(typeText!, pkg, imports)
    const field = readField(goName ?? typeText!.replace(/^.*\./, ''), type, tags, lines, at)
    if (field) fields.push(field)
  }
}

function readField(go: string, type: GoExpr, tags: string, lines: string[], at: number): GoField | undefined {
  const tag = (name: string) => new RegExp(`(?:^|\\s)${name}:"([^"]*)"`).exec(tags)?.[1]
  const [json = '', ...flags] = (tag('json') ?? '').split(',')
  const inline = flags.includes('inline')
  if (json === '-' || (json === '' && !inline)) return undefined
  const markers = markersAbove(lines, at)
  const field: GoField = {
    go,
    json,
    inline,
    omit: flags.includes('omitzero') ? 'omitzero' : flags.includes('omitempty') ? 'omitempty' : '',
    type,
    number: Number(/^\w+,(\d+)/.exec(tag('protobuf') ?? '')?.[1] ?? 0),
    optional: has(markers, 'optional'),
    required: has(markers, 'required') || has(markers, 'k8s:required'),
    listMapKeys: markers.filter(m => m.startsWith('listMapKey=')).map(m => m.slice('listMapKey='.length)),
  }
  const more = {
    patchStrategy: tag('patchStrategy'),
    patchMergeKey: tag('patchMergeKey'),
    listType: markerValue(markers, 'listType'),
    mapType: markerValue(markers, 'mapType') ?? markerValue(markers, 'structType'),
    default: markerValue(markers, 'default'),
  }
  return Object.assign(
    field,
    Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)),
  )
}

function parseExpr(text: string, pkg: string, imports: Map<string, string>): GoExpr {
  const parse = (inner: string) => parseExpr(inner, pkg, imports)
  if (text.startsWith('*')) return { is: 'pointer', of: parse(text.slice(1)) }
  if (text.startsWith('[]')) return { is: 'slice', of: parse(text.slice(2)) }
  const map = /^map\[([\w.]+)\](.*)$/.exec(text)
  if (map) return { is: 'map', key: parse(map[1]!), of: parse(map[2]!) }
  if (BASIC.has(text)) return { is: 'basic', name: text }
  const qualified = /^(\w+)\.(\w+)$/.exec(text)
  if (!qualified) return { is: 'named', pkg, name: text }
  const target = imports.get(qualified[1]!)
  if (!target) throw new Error(`${pkg}: no import for ${text}`)
  return { is: 'named', pkg: target, name: qualified[2]! }
}
