// Messages that are sent again and again without a change, as an event does that tells of all containers of a pod:
// each is read once and handed out again while its bytes are the same.
import type { CustomMessage, ProtobufCodec } from './codec.ts'
import { BYTES, Reader, type Writer } from './wire.ts'

const MOST_KNOWN = 1_000

type Plain = Record<string, unknown>

/** What it reads is shared by everybody who asks: nobody may change it. */
export class RepeatedMessages implements CustomMessage {
  readonly #codec: () => ProtobufCodec
  readonly #name: string
  /** By the first field, which must be a text that tells them apart. */
  readonly #known = new Map<string, { bytes: Buffer; value: Plain }>()

  /** `name` is the message's. The codec is asked for when it is needed: this is a part of it. */
  constructor(codec: () => ProtobufCodec, name: string) {
    this.#codec = codec
    this.#name = name
  }

  write(value: unknown, writer: Writer): void {
    this.#codec().write(this.#name, (value ?? {}) as Plain, writer)
  }

  read(reader: Reader): unknown {
    const bytes = reader.rest()
    const key = firstText(bytes)
    const known = this.#known.get(key)
    if (known?.bytes.equals(bytes)) return known.value
    const value = this.#codec().decode(this.#name, bytes)
    this.#remember(key, { bytes: Buffer.from(bytes), value })
    return value
  }

  #remember(key: string, entry: { bytes: Buffer; value: Plain }): void {
    this.#known.delete(key)
    this.#known.set(key, entry)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MOST_KNOWN) this.#known.delete(oldest!)
  }
}

function firstText(bytes: Uint8Array): string {
  const reader = new Reader(bytes)
  if (reader.done) return ''
  const [, wireType] = reader.tag()
  return wireType === BYTES ? reader.string() : ''
}
