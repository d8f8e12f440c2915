// Reads messages written as text, one line per message: 'name=1:string tags=2:[]string labels=3:{string}string'.
// A type is a scalar, 'enum.Name', or the name of another message. All are proto3.
import type { CustomMessage, FieldKind, FieldType, MessageType, Scalar } from './codec.ts'
import { ProtobufCodec } from './codec.ts'

const SCALARS = new Set(['string', 'bytes', 'base64', 'bool', 'int32', 'int64', 'uint32', 'uint64', 'double'])

/** `custom`: fields that are written and read in their own way, by 'Message.field'. */
export function codecFromTable(
  messages: Readonly<Record<string, string>>,
  enums: Readonly<Record<string, Record<string, number>>> = {},
  custom: Readonly<Record<string, CustomMessage>> = {},
): ProtobufCodec {
  return new ProtobufCodec(name => {
    const line = messages[name]
    if (line === undefined) throw new Error(`no message ${name}`)
    const { fields, ...type } = parseMessage(line, enums)
    return { ...type, fields: fields.map(field => withCustom(field, custom[`${name}.${field.name}`])) }
  })
}

const withCustom = (field: FieldType, message: CustomMessage | undefined): FieldType =>
  message ? { ...field, kind: { is: 'custom', message } } : field

function parseMessage(line: string, enums: Readonly<Record<string, Record<string, number>>>): MessageType {
  return {
    proto3: true,
    fields: line
      .split(' ')
      .filter(Boolean)
      .map(text => parseField(text, enums)),
  }
}

function parseField(text: string, enums: Readonly<Record<string, Record<string, number>>>): FieldType {
  const found = /^(\w+)=(\d+):(\[\])?(?:\{(\w+)\})?([\w.]+)$/.exec(text)
  if (!found) throw new Error(`not a field: ${text}`)
  const [, name, number, repeated, mapKey, type] = found
  return {
    name: name!,
    number: Number(number),
    kind: parseKind(type!, enums),
    ...(repeated && { repeated: true }),
    ...(mapKey && { mapKey: mapKey as Scalar }),
  }
}

function parseKind(type: string, enums: Readonly<Record<string, Record<string, number>>>): FieldKind {
  if (type.startsWith('enum.')) return { is: 'enum', numbers: enums[type.slice(5)]! }
  return SCALARS.has(type) ? { is: 'scalar', type: type as Scalar } : { is: 'message', name: type }
}
