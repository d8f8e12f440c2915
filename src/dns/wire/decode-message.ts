// Bytes of a DNS message to an object. Never reads outside the message and always ends, whatever the bytes are.
import type { Edns, Message, Name, Question, ResourceRecord } from './message.ts'
import { DATA_LAYOUT, TYPE } from './record-types.ts'

/** The bytes are no DNS message. */
export class MessageFormatError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MessageFormatError'
  }
}

export const HEADER_LENGTH = 12
const MAX_NAME = 255
const POINTER = 0xc0

/** Throws MessageFormatError. Bytes after the last record are ignored. */
export function decodeMessage(bytes: Buffer): Message {
  const reader = new Reader(bytes)
  const id = reader.u16()
  const flags = reader.u16()
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()] as const
  const questions = times(counts[0], () => reader.question())
  const answers = times(counts[1], () => reader.record())
  const authorities = times(counts[2], () => reader.record())
  const withOpt = times(counts[3], () => reader.record())
  const opts = withOpt.filter(({ type }) => type === TYPE.opt)
  if (opts.length > 1 || [...answers, ...authorities].some(({ type }) => type === TYPE.opt))
    throw new MessageFormatError('more than one OPT record, or one in a wrong section')
  const [opt] = opts
  const extended = opt ? (opt.ttl >>> 24) << 4 : 0
  return {
    id,
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >>> 11) & 0xf,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    rcode: extended | (flags & 0xf),
    questions,
    answers,
    authorities,
    additionals: opt ? withOpt.filter(record => record !== opt) : withOpt,
    ...(opt && { edns: ednsOf(opt) }),
  }
}

function ednsOf(opt: ResourceRecord): Edns {
  if (opt.name !== '') throw new MessageFormatError('the OPT record has a name')
  return {
    udpSize: opt.class,
    version: (opt.ttl >>> 16) & 0xff,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
  }
}

/** Each thing read takes bytes or throws, so a wrong count cannot run on. */
function times<T>(count: number, read: () => T): T[] {
  const list: T[] = []
  for (let index = 0; index < count; index++) list.push(read())
  return list
}

class Reader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  u16(): number {
    this.#need(2)
    const value = this.#bytes.readUInt16BE(this.#offset)
    this.#offset += 2
    return value
  }

  question(): Question {
    return { name: this.#name(), type: this.u16(), class: this.u16() }
  }

  record(): ResourceRecord {
    const name = this.#name()
    const [type, recordClass] = [this.u16(), this.u16()]
    const ttl = this.u16() * 0x10000 + this.u16()
    const length = this.u16()
    this.#need(length)
    const end = this.#offset + length
    const data = this.#data(type, end)
    if (this.#offset !== end) throw new MessageFormatError('the data of a record has another length')
    return { name, type, class: recordClass, ttl, data }
  }

  #data(type: number, end: number): (Uint8Array | Name)[] {
    const layout = DATA_LAYOUT.get(type)
    if (!layout) return [this.#take(end - this.#offset)]
    return layout.map(part => (part === 'name' ? this.#name() : this.#take(part)))
  }

  /** A copy, so that a cached record does not keep the whole message. */
  #take(length: number): Buffer {
    this.#need(length)
    const part = Buffer.from(this.#bytes.subarray(this.#offset, this.#offset + length))
    this.#offset += length
    return part
  }

  /** Pointers may only go back, so following them ends. */
  #name(): Name {
    const bytes = this.#bytes
    let at = this.#offset
    let lowest = at
    let jumped = false
    let wireLength = 1
    let name = ''
    for (;;) {
      const length = bytes[at]
      if (length === undefined) throw new MessageFormatError('a name runs over the end')
      if (length >= POINTER) {
        const second = bytes[at + 1]
        if (second === undefined) throw new MessageFormatError('a name runs over the end')
        if (!jumped) this.#offset = at + 2
        jumped = true
        at = ((length & 0x3f) << 8) | second
        if (at >= lowest) throw new MessageFormatError('a name points forward or in a circle')
        lowest = at
        continue
      }
      if (length > 63) throw new MessageFormatError('a label of an unknown kind')
      if (length === 0) break
      wireLength += length + 1
      if (wireLength > MAX_NAME) throw new MessageFormatError('a name is too long')
      if (at + 1 + length > bytes.length) throw new MessageFormatError('a name runs over the end')
      const label = bytes.toString('latin1', at + 1, at + 1 + length)
      name += (name === '' ? '' : '.') + escapeLabel(label)
      at += 1 + length
    }
    if (!jumped) this.#offset = at + 1
    return name
  }

  #need(length: number): void {
    if (this.#offset + length > this.#bytes.length) throw new MessageFormatError('the message ends too early')
  }
}

const escapeLabel = (label: string) => (/[.\\]/.test(label) ? label.replace(/[.\\]/g, '\\$&') : label)
