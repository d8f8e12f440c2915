// Protobuf forms of the values that Go writes to JSON with code of their own.
import type { CustomMessage } from '../../base/protobuf/codec.ts'
import { BYTES, ProtobufError, type Reader, VARINT, type Writer } from '../../base/protobuf/wire.ts'
import type { SpecialName } from './type-facts.ts'

type SpecialMessages = Record<SpecialName | 'Items', CustomMessage>

let messages: SpecialMessages | undefined

/** `schema` reads and writes apiextensions' JSONSchemaProps, which needs the whole codec. */
export function specialMessages(schema: CustomMessage): SpecialMessages {
  messages ??= {
    Quantity: {
      write: (value, writer) => writeString(writer, 1, (value as string) ?? '0'),
      read: readQuantity,
    },
    IntOrString: { write: writeIntOrString, read: readIntOrString },
    Time: { write: writeTime(false), read: readTime(false) },
    MicroTime: { write: writeTime(true), read: readTime(true) },
    Duration: { write: noForm, read: noForm },
    FieldsV1: rawJson,
    RawExtension: rawJson,
    JSON: rawJson,
    JSONSchemaPropsOrBool: schemaOrBool(schema),
    JSONSchemaPropsOrArray: schemaOrList(schema, schema),
    JSONSchemaPropsOrStringArray: schemaOrList(schema, undefined),
    Items: { write: writeItems, read: readItems },
  }
  return messages
}

/** No built-in type has a field of this type. */
function noForm(): never {
  throw new Error('durations have no protobuf form here')
}

function writeString(writer: Writer, number: number, text: string): void {
  writer.string(text)
  writer.tag(number, BYTES)
}

function writeNumber(writer: Writer, number: number, value: number): void {
  writer.varint(value)
  writer.tag(number, VARINT)
}

function writeMessage(writer: Writer, number: number, message: CustomMessage, value: unknown): void {
  const before = writer.size
  message.write(value, writer)
  writer.uint32(writer.size - before)
  writer.tag(number, BYTES)
}

/** Calls `read` per field; what it does not take (by returning false) is skipped. */
function eachField(reader: Reader, read: (number: number, wireType: number) => boolean): void {
  while (!reader.done) {
    const [number, wireType] = reader.tag()
    if (!read(number, wireType)) reader.skip(wireType)
  }
}

function readQuantity(reader: Reader): string {
  let text = '0'
  eachField(reader, (number, wireType) => {
    if (number !== 1 || wireType !== BYTES) return false
    text = reader.string() || '0'
    return true
  })
  return text
}

function writeIntOrString(value: unknown, writer: Writer): void {
  writeString(writer, 3, typeof value === 'string' ? value : '')
  writeNumber(writer, 2, typeof value === 'number' ? value : 0)
  writeNumber(writer, 1, typeof value === 'string' ? 1 : 0)
}

function readIntOrString(reader: Reader): number | string {
  const read = { type: 0, int: 0, text: '' }
  eachField(reader, (number, wireType) => {
    if (number === 1 && wireType === VARINT) read.type = reader.int64()
    else if (number === 2 && wireType === VARINT) read.int = reader.int64() | 0
    else if (number === 3 && wireType === BYTES) read.text = reader.string()
    else return false
    return true
  })
  return read.type === 1 ? read.text : read.int
}

/** Time writes whole seconds only; the zero time is an empty message. */
const writeTime = (micro: boolean) => (value: unknown, writer: Writer) => {
  if (typeof value !== 'string' || value === '') return
  const seconds = Math.floor(Date.parse(`${value.slice(0, 19)}Z`) / 1000)
  const fraction = /\.(\d+)Z$/.exec(value)?.[1] ?? ''
  writeNumber(writer, 2, micro ? Number(fraction.slice(0, 6).padEnd(6, '0')) * 1000 : 0)
  writeNumber(writer, 1, seconds)
}

const readTime = (micro: boolean) => (reader: Reader) => {
  let seconds: number | undefined
  let nanos = 0
  eachField(reader, (number, wireType) => {
    if (wireType !== VARINT || number > 2) return false
    if (number === 1) seconds = reader.int64()
    else nanos = reader.int64()
    return true
  })
  if (seconds === undefined) return undefined
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) throw new ProtobufError('time is out of range')
  const text = date.toISOString().slice(0, 19)
  return micro ? `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${text}Z`
}

/** JSON as bytes in field 1. */
const rawJson: CustomMessage = {
  write(value, writer) {
    if (value !== undefined && value !== null) writeString(writer, 1, JSON.stringify(value))
  },
  read(reader) {
    let value: unknown
    eachField(reader, (number, wireType) => {
      if (number !== 1 || wireType !== BYTES) return false
      value = parseRaw(reader.string())
      return true
    })
    return value
  },
}

function parseRaw(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ProtobufError('an embedded object is no JSON')
  }
}

const schemaOrBool = (schema: CustomMessage): CustomMessage => ({
  write(value, writer) {
    if (typeof value === 'object' && value !== null) writeMessage(writer, 2, schema, value)
    writeNumber(writer, 1, value === false || value === undefined ? 0 : 1)
  },
  read(reader) {
    let allows = false
    let props: unknown
    eachField(reader, (number, wireType) => {
      if (number === 1 && wireType === VARINT) allows = reader.varint() !== 0
      else if (number === 2 && wireType === BYTES) props = schema.read(reader.nested())
      else return false
      return true
    })
    return props ?? allows
  },
})

/** `item` undefined: the list is one of strings. */
const schemaOrList = (schema: CustomMessage, item: CustomMessage | undefined): CustomMessage => ({
  write(value, writer) {
    if (!Array.isArray(value)) {
      if (value !== undefined) writeMessage(writer, 1, schema, value)
      return
    }
    for (const entry of value.toReversed()) {
      if (item) writeMessage(writer, 2, item, entry)
      else writeString(writer, 2, entry)
    }
  },
  read(reader) {
    let props: unknown
    const list: unknown[] = []
    eachField(reader, (number, wireType) => {
      if (wireType !== BYTES) return false
      if (number === 1) props = schema.read(reader.nested())
      else if (number === 2) list.push(item ? item.read(reader.nested()) : reader.string())
      else return false
      return true
    })
    return props ?? list
  },
})

function writeItems(value: unknown, writer: Writer): void {
  for (const item of ((value as string[]) ?? []).toReversed()) writeString(writer, 1, item)
}

function readItems(reader: Reader): string[] {
  const items: string[] = []
  eachField(reader, (number, wireType) => {
    if (number !== 1 || wireType !== BYTES) return false
    items.push(reader.string())
    return true
  })
  return items
}
