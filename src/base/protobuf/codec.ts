// Encodes plain objects to protobuf and back, by tables that say which property is which field.
// Tables are looked up by message name when first needed. Unknown fields are skipped when decoding.
import { BYTES, FIXED64, ProtobufError, Reader, VARINT, Writer } from './wire.ts'

/** 'base64' is bytes that the object holds as base64 text. */
export type Scalar =
  | 'string'
  | 'bytes'
  | 'base64'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'double'

/** A message that the object holds as something else than an object, as with timestamps. */
export interface CustomMessage {
  /** Writes the message's fields, last one first. `value` is undefined for a message that is always written. */
  write(value: unknown, writer: Writer): void
  read(reader: Reader): unknown
}

export type FieldKind =
  | { is: 'scalar'; type: Scalar }
  | { is: 'enum'; numbers: Record<string, number> }
  | { is: 'message'; name: string }
  | { is: 'custom'; message: CustomMessage }

export interface FieldType {
  /** Property of the object. */
  name: string
  number: number
  kind: FieldKind
  repeated?: boolean
  /** Set for maps; `kind` is then the values'. */
  mapKey?: Scalar
  /** Written even when absent, as its zero value (proto2 fields that are not nullable). */
  always?: boolean
  /** A nested message whose fields are properties of this same object. */
  inline?: boolean
}

export interface MessageType {
  fields: FieldType[]
  /** proto3: zero values are not written, and decoding fills absent scalars, lists and maps in. */
  proto3?: boolean
}

type Plain = Record<string, unknown>

interface Prepared extends MessageType {
  byNumber: Map<number, FieldType>
  /** Highest number first, as Writer wants them. */
  descending: FieldType[]
  /** What decoding fills in for a proto3 message. */
  zeroes: [name: string, zero: () => unknown][]
}

export class ProtobufCodec {
  readonly #find: (name: string) => MessageType
  readonly #prepared = new Map<string, Prepared>()

  /** `find` throws for a name it does not know; it is asked once per name. */
  constructor(find: (name: string) => MessageType) {
    this.#find = find
  }

  encode(message: string, value: object): Uint8Array {
    const writer = new Writer()
    this.write(message, value as Plain, writer)
    return writer.finish()
  }

  decode(message: string, bytes: Uint8Array): Plain {
    return this.read(message, new Reader(bytes))
  }

  /** Writes a message's fields without tag or length. */
  write(message: string, value: Plain, writer: Writer): void {
    const type = this.#prepare(message)
    for (const field of type.descending) this.#writeField(field, value, writer, type.proto3 === true)
  }

  read(message: string, reader: Reader, into: Plain = {}): Plain {
    const { byNumber, zeroes } = this.#prepare(message)
    for (const [name, zero] of zeroes) if (into[name] === undefined) into[name] = zero()
    while (!reader.done) {
      const [number, wireType] = reader.tag()
      const field = byNumber.get(number)
      if (field) this.#readField(field, wireType, reader, into)
      else reader.skip(wireType)
    }
    return into
  }

  #prepare(name: string): Prepared {
    let found = this.#prepared.get(name)
    if (!found) {
      const type = this.#find(name)
      found = {
        ...type,
        byNumber: new Map(type.fields.map(field => [field.number, field])),
        descending: type.fields.toSorted((a, b) => b.number - a.number),
        zeroes: type.proto3 ? zeroesOf(type.fields) : [],
      }
      this.#prepared.set(name, found)
    }
    return found
  }

  #writeField(field: FieldType, object: Plain, writer: Writer, proto3: boolean): void {
    const value = field.inline ? object : object[field.name]
    if (value === undefined || value === null) {
      if (field.always) this.#writeValue(field.number, field.kind, undefined, writer)
    } else if (field.mapKey) this.#writeMap(field, field.mapKey, value as Plain, writer)
    else if (field.repeated) this.#writeList(field, value as unknown[], writer, proto3)
    else if (!proto3 || !isZero(field.kind, value)) this.#writeValue(field.number, field.kind, value, writer)
  }

  #writeList({ number, kind }: FieldType, list: unknown[], writer: Writer, proto3: boolean): void {
    if (!proto3 || !isPackable(kind)) {
      for (let i = list.length - 1; i >= 0; i--) this.#writeValue(number, kind, list[i], writer)
    } else if (list.length > 0) {
      const before = writer.size
      for (let i = list.length - 1; i >= 0; i--) writeScalar(kind, list[i], writer)
      writer.uint32(writer.size - before)
      writer.tag(number, BYTES)
    }
  }

  #writeMap({ number, kind }: FieldType, mapKey: Scalar, map: Plain, writer: Writer): void {
    for (const key of Object.keys(map).sort().reverse()) {
      const before = writer.size
      this.#writeValue(2, kind, map[key] ?? undefined, writer)
      this.#writeValue(1, { is: 'scalar', type: mapKey }, mapKey === 'string' ? key : Number(key), writer)
      writer.uint32(writer.size - before)
      writer.tag(number, BYTES)
    }
  }

  #writeValue(number: number, kind: FieldKind, value: unknown, writer: Writer): void {
    if (kind.is === 'message' || kind.is === 'custom') {
      const before = writer.size
      if (kind.is === 'message') this.write(kind.name, (value ?? {}) as Plain, writer)
      else kind.message.write(value, writer)
      writer.uint32(writer.size - before)
      writer.tag(number, BYTES)
    } else {
      writeScalar(kind, value, writer)
      writer.tag(number, wireTypeOf(kind))
    }
  }

  #readField(field: FieldType, wireType: number, reader: Reader, into: Plain): void {
    const { name, kind } = field
    if (field.mapKey) {
      const [key, value] = this.#readEntry(field, field.mapKey, reader, wireType)
      define(ownValue(into, name, () => ({})) as Plain, key, value)
    } else if (field.repeated) {
      const list = ownValue(into, name, () => []) as unknown[]
      if (wireType === BYTES && isPackable(kind)) {
        for (const packed = reader.nested(); !packed.done; ) list.push(readScalar(kind, packed))
      } else list.push(this.#readValue(kind, wireType, reader))
    } else if (kind.is === 'message' && (field.inline || isPlain(into[name]))) {
      expectWireType(wireType, BYTES)
      this.read(kind.name, reader.nested(), field.inline ? into : (into[name] as Plain))
    } else into[name] = this.#readValue(kind, wireType, reader)
  }

  #readEntry(field: FieldType, mapKey: Scalar, reader: Reader, wireType: number): [string, unknown] {
    expectWireType(wireType, BYTES)
    const entry = reader.nested()
    let key = mapKey === 'string' ? '' : '0'
    let value: unknown
    while (!entry.done) {
      const [number, type] = entry.tag()
      if (number === 1) key = String(this.#readValue({ is: 'scalar', type: mapKey }, type, entry))
      else if (number === 2) value = this.#readValue(field.kind, type, entry)
      else entry.skip(type)
    }
    return [key, value === undefined ? this.#zero(field.kind) : value]
  }

  #zero(kind: FieldKind): unknown {
    if (kind.is === 'message') return this.read(kind.name, new Reader(new Uint8Array()))
    if (kind.is === 'custom') return kind.message.read(new Reader(new Uint8Array()))
    return zeroOf(kind)
  }

  #readValue(kind: FieldKind, wireType: number, reader: Reader): unknown {
    expectWireType(wireType, wireTypeOf(kind))
    if (kind.is === 'message') return this.read(kind.name, reader.nested())
    if (kind.is === 'custom') return kind.message.read(reader.nested())
    return readScalar(kind, reader)
  }
}

const isPlain = (value: unknown) => typeof value === 'object' && value !== null

/** Sets an own property whatever its name: '__proto__' is a legal map key. */
function define(object: Plain, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}

function ownValue(object: Plain, name: string, make: () => unknown): unknown {
  object[name] ??= make()
  return object[name]
}

function expectWireType(actual: number, expected: number): void {
  if (actual !== expected) throw new ProtobufError(`wire type ${actual} where ${expected} is expected`)
}

function wireTypeOf(kind: FieldKind): number {
  if (kind.is === 'message' || kind.is === 'custom') return BYTES
  if (kind.is === 'enum') return VARINT
  if (kind.type === 'double') return FIXED64
  return kind.type === 'string' || kind.type === 'bytes' || kind.type === 'base64' ? BYTES : VARINT
}

const isPackable = (kind: FieldKind) => wireTypeOf(kind) !== BYTES

function zeroOf(kind: FieldKind): unknown {
  if (kind.is === 'enum') return nameOf(kind.numbers, 0)
  if (kind.is !== 'scalar') return undefined
  if (kind.type === 'string' || kind.type === 'base64') return ''
  if (kind.type === 'bytes') return new Uint8Array()
  return kind.type === 'bool' ? false : 0
}

function zeroesOf(fields: FieldType[]): [name: string, zero: () => unknown][] {
  return fields.flatMap(({ name, kind, repeated, mapKey }): [string, () => unknown][] => {
    if (mapKey) return [[name, () => ({})]]
    if (repeated) return [[name, () => []]]
    if (kind.is !== 'scalar' && kind.is !== 'enum') return []
    const zero = zeroOf(kind)
    return [[name, zero instanceof Uint8Array ? () => new Uint8Array() : () => zero]]
  })
}

function isZero(kind: FieldKind, value: unknown): boolean {
  if (kind.is === 'enum') return kind.numbers[value as string] === 0
  if (kind.is !== 'scalar') return false
  if (kind.type === 'bytes') return (value as Uint8Array).length === 0
  return value === '' || value === 0 || value === false
}

function nameOf(numbers: Record<string, number>, number: number): string | number {
  for (const name in numbers) if (numbers[name] === number) return name
  return number
}

function writeScalar(kind: FieldKind, value: unknown, writer: Writer): void {
  if (kind.is === 'enum') writer.varint(enumNumber(kind.numbers, value))
  else if (kind.is !== 'scalar') throw new ProtobufError('not a scalar')
  else if (kind.type === 'string') writer.string((value as string) ?? '')
  else if (kind.type === 'bytes') writer.delimited((value as Uint8Array) ?? new Uint8Array())
  else if (kind.type === 'base64') writer.delimited(Buffer.from((value as string) ?? '', 'base64'))
  else if (kind.type === 'bool') writer.uint32(value ? 1 : 0)
  else if (kind.type === 'double') writer.double((value as number) ?? 0)
  else writer.varint((value as number) ?? 0)
}

function enumNumber(numbers: Record<string, number>, value: unknown): number {
  if (typeof value === 'number') return value
  if (value === undefined) return 0
  const number = numbers[value as string]
  if (number === undefined) throw new ProtobufError(`no enum value ${String(value)}`)
  return number
}

function readScalar(kind: FieldKind, reader: Reader): unknown {
  if (kind.is === 'enum') return nameOf(kind.numbers, reader.int64())
  if (kind.is !== 'scalar') throw new ProtobufError('not a scalar')
  switch (kind.type) {
    case 'string':
      return reader.string()
    case 'bytes':
      return new Uint8Array(reader.delimited())
    case 'base64':
      return Buffer.from(reader.delimited()).toString('base64')
    case 'bool':
      return reader.varint() !== 0
    case 'int32':
      return reader.int64() | 0
    case 'int64':
      return reader.int64()
    case 'uint32':
      return reader.varint() >>> 0
    case 'uint64':
      return reader.varint()
    case 'double':
      return reader.double()
  }
}
