// application/vnd.kubernetes.protobuf: objects as protobuf messages inside runtime.Unknown, after 'k8s' and a zero.
// Works for built-in kinds; custom resources have no such form.
import {
  type CustomMessage,
  type FieldKind,
  type FieldType,
  type MessageType,
  ProtobufCodec,
  type Scalar,
} from '../../base/protobuf/codec.ts'
import { codecFromTable } from '../../base/protobuf/message-table.ts'
import { ProtobufError } from '../../base/protobuf/wire.ts'
import type { KubeObject } from '../kube-object.ts'
import { normalise } from './normalise.ts'
import { specialMessages } from './special-messages.ts'
import { findType, type ScalarName, typeOf, type ValueType } from './type-facts.ts'

const MAGIC = Buffer.from('k8s\0')

const envelope = codecFromTable({
  Unknown: 'typeMeta=1:TypeMeta raw=2:bytes contentEncoding=3:string contentType=4:string',
  TypeMeta: 'apiVersion=1:string kind=2:string',
})

const objects = new ProtobufCodec(messageOf)

/** Whether a kind has a protobuf form. */
export function canEncodeProtobuf(apiVersion: string, kind: string): boolean {
  return findType(apiVersion, kind) !== undefined
}

/** Throws Error for a kind that is not built in. APIVersions alone names no version of its own: it is of v1. */
export function encodeKubernetesProtobuf(object: { apiVersion?: string; kind: string }): Uint8Array {
  const { apiVersion = 'v1', kind } = object
  const type = findType(apiVersion, kind)
  if (!type) throw new Error(`${apiVersion} ${kind} has no protobuf form`)
  return wrap(apiVersion, kind, objects.encode(type.name, object))
}

/** One watch event as a stream carries it, without the four bytes of length before it. */
export function encodeProtobufWatchEvent(
  type: string,
  object: { apiVersion: string; kind: string },
): Uint8Array {
  const raw = Buffer.from(encodeKubernetesProtobuf(object))
  return watchEvents.encode('WatchEvent', { type, object: { raw } })
}

/** Reads what encodeProtobufWatchEvent writes. */
export function decodeProtobufWatchEvent(bytes: Uint8Array): { type: string; object: KubeObject } {
  const { type, object } = watchEvents.decode('WatchEvent', bytes) as {
    type: string
    object?: { raw: Uint8Array }
  }
  if (!object) throw new ProtobufError('a watch event without an object')
  return { type, object: decodeKubernetesProtobuf(object.raw) }
}

const watchEvents = codecFromTable({ WatchEvent: 'type=1:string object=2:Raw', Raw: 'raw=1:bytes' })

/**
 * The object as JSON would carry it, fields in Go's order, as decodeObject gives it.
 * `expected` names the type where the bytes do not (DeleteOptions without a kind).
 * Throws ProtobufError for malformed bytes and kinds that are not built in.
 */
export function decodeKubernetesProtobuf(
  bytes: Uint8Array,
  expected?: { apiVersion: string; kind: string },
): KubeObject {
  if (!isKubernetesProtobuf(bytes)) {
    throw new ProtobufError(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    )
  }
  const { typeMeta, raw } = envelope.decode('Unknown', bytes.subarray(MAGIC.length)) as {
    typeMeta?: { apiVersion: string; kind: string }
    raw: Uint8Array
  }
  const apiVersion = typeMeta?.apiVersion || (expected?.apiVersion ?? '')
  const kind = typeMeta?.kind || (expected?.kind ?? '')
  const type = findType(apiVersion, kind)
  if (!type) throw new ProtobufError(`no kind "${kind}" is registered for version "${apiVersion}"`)
  const fields = normalise(type, objects.decode(type.name, raw), { unknown: [], warnings: [] })
  return { kind, apiVersion, ...fields } as unknown as KubeObject
}

export function isKubernetesProtobuf(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && MAGIC.equals(bytes.subarray(0, MAGIC.length))
}

function wrap(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  const unknown = envelope.encode('Unknown', { typeMeta: { apiVersion, kind }, raw })
  // Go writes the two empty strings at the end, a proto3 table does not.
  return Buffer.concat([MAGIC, unknown, Buffer.from([0x1a, 0, 0x22, 0])])
}

/** The message of a type: its own fields, inline structs as nested messages. */
function messageOf(name: string): MessageType {
  const fields: FieldType[] = []
  for (const field of typeOf(name).own) {
    if (field.number === 0) continue
    if ('name' in field) fields.push(fieldOf(field.name, field.number, field.type))
    else {
      const kind: FieldKind = { is: 'message', name: field.type }
      fields.push({ name: '', number: field.number, kind, inline: true, always: true })
    }
  }
  return { fields }
}

function fieldOf(name: string, number: number, type: ValueType): FieldType {
  if (type.is === 'list' && !type.named) return { name, number, kind: kindOf(type.of), repeated: true }
  if (type.is === 'map') return { name, number, kind: kindOf(type.of), mapKey: 'string' }
  const nullable = type.pointer || type.is === 'list' || (type.is === 'scalar' && type.scalar === 'bytes')
  return { name, number, kind: kindOf(type), ...(!nullable && { always: true }) }
}

const SCALARS: Record<ScalarName, Scalar> = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  uint32: 'uint32',
  uint64: 'uint64',
  float64: 'double',
  bytes: 'base64',
}

const jsonSchema: CustomMessage = {
  write: (value, writer) => objects.write(SCHEMA, value as Record<string, unknown>, writer),
  read: reader => objects.read(SCHEMA, reader),
}
const SCHEMA = 'apiextensions/v1.JSONSchemaProps'

function kindOf(type: ValueType): FieldKind {
  switch (type.is) {
    case 'scalar':
      return { is: 'scalar', type: SCALARS[type.scalar] }
    case 'struct':
      return { is: 'message', name: type.type }
    case 'special':
      return { is: 'custom', message: specialMessages(jsonSchema)[type.special] }
    case 'list':
      // Named lists (ExtraValue, Verbs) are messages of their own with their items in field 1.
      return { is: 'custom', message: specialMessages(jsonSchema).Items }
    case 'map':
      throw new Error('a map inside a list or map')
  }
}
