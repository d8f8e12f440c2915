// Reads messages, enums and services of a proto3 file. Not a full parser: no oneof, groups, extensions or options.

export interface ProtoField {
  name: string
  number: number
  /** Scalar type, or the name of a message or enum. */
  type: string
  repeated: boolean
  /** Set for maps; `type` is then the value's. */
  mapKey?: string
}

export interface ProtoMessage {
  name: string
  fields: ProtoField[]
}

export interface ProtoEnum {
  name: string
  values: { name: string; number: number }[]
}

export interface ProtoRpc {
  name: string
  request: string
  response: string
  streams: boolean
}

export interface ProtoFile {
  package: string
  messages: ProtoMessage[]
  enums: ProtoEnum[]
  services: { name: string; rpcs: ProtoRpc[] }[]
}

export function parseProto(text: string): ProtoFile {
  const bare = text.replace(/\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '')
  const file: ProtoFile = {
    package: /^package ([\w.]+);/m.exec(bare)?.[1] ?? '',
    messages: [],
    enums: [],
    services: [],
  }
  for (const { keyword, name, body } of blocks(bare)) readBlock(file, keyword, name, body)
  return file
}

function readBlock(file: ProtoFile, keyword: string, name: string, body: string): void {
  if (keyword === 'enum') file.enums.push({ name, values: enumValues(body) })
  else if (keyword === 'service') file.services.push({ name, rpcs: rpcs(body) })
  else {
    let own = body
    for (const inner of blocks(body)) {
      own = own.replace(inner.text, '')
      readBlock(file, inner.keyword, inner.name, inner.body)
    }
    file.messages.push({ name, fields: fields(own) })
  }
}

/** The top-level message, enum and service blocks of a text, with balanced braces. */
function* blocks(text: string) {
  const opening = /\b(message|enum|service) (\w+)\s*\{/g
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    let depth = 1
    let end = opening.lastIndex
    while (depth > 0) {
      const char = text[end++]
      if (char === undefined) throw new Error(`${found[2]} does not end`)
      if (char === '{') depth++
      if (char === '}') depth--
    }
    const body = text.slice(opening.lastIndex, end - 1)
    yield { keyword: found[1]!, name: found[2]!, body, text: text.slice(found.index, end) }
    opening.lastIndex = end
  }
}

const enumValues = (body: string) =>
  [...body.matchAll(/(\w+)\s*=\s*(\d+);/g)].map(found => ({ name: found[1]!, number: Number(found[2]) }))

const rpcs = (body: string) =>
  [...body.matchAll(/rpc (\w+)\((\w+)\) returns \((stream )?(\w+)\)/g)].map(found => ({
    name: found[1]!,
    request: found[2]!,
    streams: found[3] !== undefined,
    response: found[4]!,
  }))

function fields(body: string): ProtoField[] {
  const pattern =
    /(repeated )?(?:map\s*<\s*(\w+)\s*,\s*(\w+)\s*>|([\w.]+))\s+(\w+)\s*=\s*(\d+)\s*(?:\[[^\]]*\])?;/g
  return [...body.matchAll(pattern)].map(found => ({
    name: found[5]!,
    number: Number(found[6]),
    type: found[3] ?? found[4]!,
    repeated: found[1] !== undefined,
    ...(found[2] && { mapKey: found[2] }),
  }))
}
