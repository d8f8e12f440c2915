// Objects as bytes. A frozen object is encoded once per encoding, however many watchers it goes to.
import { stringify as stringifyYaml } from 'yaml'
import { JSON_TYPE, PROTOBUF_TYPE, type Representation, YAML_TYPE } from './negotiate.ts'

/** Kubernetes' protobuf envelope, with its magic prefix. src/api/schema/kubernetes-protobuf.ts is the real one. */
export interface ProtobufCodec {
  /** Custom resources and tables have no protobuf form. */
  canEncode(apiVersion: string, kind: string): boolean
  encode(object: { apiVersion: string; kind: string }): Uint8Array
  /** Throws Error for bytes that are none. */
  decode(bytes: Uint8Array): unknown
}

/** Keys in order and no folded lines, as Go's encoder writes. */
const YAML_OPTIONS = {
  version: '1.1',
  aliasDuplicateObjects: false,
  lineWidth: 0,
  sortMapEntries: true,
} as const

type Typed = { apiVersion: string; kind: string }

export type MediaType = Representation['mediaType']

/** One answer's body; JSON ends with a newline as upstream's does. */
export function encodeObject(object: object, type: MediaType, codec: ProtobufCodec, pretty = false): Buffer {
  if (type === PROTOBUF_TYPE) return asBuffer(codec.encode(object as Typed))
  if (type === YAML_TYPE) return Buffer.from(stringifyYaml(object, YAML_OPTIONS))
  return Buffer.from(`${JSON.stringify(object, null, pretty ? 2 : undefined)}\n`)
}

/** Encodes watch events' objects; remembers the bytes for as long as the object itself lives. */
export class SharedEncoder {
  readonly #codec: ProtobufCodec
  readonly #json = new WeakMap<object, Buffer>()
  readonly #protobuf = new WeakMap<object, Buffer>()

  constructor(codec: ProtobufCodec) {
    this.#codec = codec
  }

  encode(object: object, type: typeof JSON_TYPE | typeof PROTOBUF_TYPE): Buffer {
    const known = type === JSON_TYPE ? this.#json : this.#protobuf
    const bytes = known.get(object)
    if (bytes) return bytes
    const made =
      type === JSON_TYPE ? Buffer.from(JSON.stringify(object)) : asBuffer(this.#codec.encode(object as Typed))
    if (Object.isFrozen(object)) known.set(object, made)
    return made
  }

  /** One frame of a watch: a JSON line, or a length-prefixed metav1.WatchEvent. */
  frame(eventType: string, object: object, type: typeof JSON_TYPE | typeof PROTOBUF_TYPE): Buffer {
    const bytes = this.encode(object, type)
    if (type === JSON_TYPE) {
      return Buffer.concat([Buffer.from(`{"type":"${eventType}","object":`), bytes, END_OF_LINE])
    }
    return protobufFrame(eventType, bytes)
  }
}

const END_OF_LINE = Buffer.from('}\n')

/** WatchEvent{type=1, object=2 RawExtension{raw=1}} behind a 4-byte big-endian length. */
function protobufFrame(eventType: string, object: Buffer): Buffer {
  const raw = Buffer.concat([Buffer.from([0x0a]), varint(object.length), object])
  const event = Buffer.concat([
    Buffer.from([0x0a]),
    varint(eventType.length),
    Buffer.from(eventType),
    Buffer.from([0x12]),
    varint(raw.length),
    raw,
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(event.length)
  return Buffer.concat([length, event])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
