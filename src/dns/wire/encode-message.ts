// A DNS message as bytes, with compressed names, cut to the size that the reader takes (RFC 1035, RFC 2181, RFC 6891).
import type { Message, Name, Question, ResourceRecord } from './message.ts'
import { labelsOf, sameCase } from './message.ts'
import { COMPRESSED_DATA, TYPE } from './record-types.ts'

export const LARGEST_MESSAGE = 65_535
const OPT_LENGTH = 11
/** A pointer has 14 bits. */
const FURTHEST_TARGET = 0x3fff
const MAX_NAME = 255

/**
 * At most `limit` bytes. When answers or authorities do not fit, whole records are left out and the message says that
 * it is truncated; additional records are left out silently.
 */
export function encodeMessage(message: Message, limit = LARGEST_MESSAGE): Buffer {
  const writer = new Writer(limit - (message.edns ? OPT_LENGTH : 0))
  writer.skipHeader()
  for (const question of message.questions) writer.question(question)
  const answers = writer.records(message.answers)
  const complete = answers === message.answers.length
  const authorities = complete ? writer.records(message.authorities) : 0
  const truncated = message.truncated || !complete || authorities < message.authorities.length
  let additionals = truncated ? 0 : writer.records(message.additionals)
  if (message.edns) {
    writer.opt(message.edns, message.rcode)
    additionals++
  }
  writer.header({ ...message, truncated }, [message.questions.length, answers, authorities, additionals])
  return writer.bytes()
}

/** Used by one message at a time: encoding is synchronous. */
const buffer = Buffer.allocUnsafe(LARGEST_MESSAGE + 512)

class Writer {
  readonly #limit: number
  /** Where each name was written, in lower case. */
  readonly #names = new Map<Name, number>()
  #offset = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  bytes(): Buffer {
    return Buffer.from(buffer.subarray(0, this.#offset))
  }

  skipHeader(): void {
    this.#offset = 12
  }

  header(message: Message, counts: readonly number[]): void {
    const flag = (value: boolean, bit: number) => (value ? bit : 0)
    buffer.writeUInt16BE(message.id, 0)
    buffer.writeUInt16BE(
      flag(message.isResponse, 0x8000) |
        (message.opcode << 11) |
        flag(message.authoritative, 0x0400) |
        flag(message.truncated, 0x0200) |
        flag(message.recursionDesired, 0x0100) |
        flag(message.recursionAvailable, 0x0080) |
        flag(message.authenticData, 0x0020) |
        flag(message.checkingDisabled, 0x0010) |
        (message.rcode & 0xf),
      2,
    )
    for (const [index, count] of counts.entries()) buffer.writeUInt16BE(count, 4 + 2 * index)
  }

  question({ name, type, class: questionClass }: Question): void {
    this.#name(name, true)
    this.#u16(type)
    this.#u16(questionClass)
  }

  /** How many of them fitted. */
  records(records: readonly ResourceRecord[]): number {
    for (const [index, record] of records.entries()) {
      const before = this.#offset
      this.#record(record)
      if (this.#offset <= this.#limit) continue
      this.#forgetNamesFrom(before)
      this.#offset = before
      return index
    }
    return records.length
  }

  opt(edns: NonNullable<Message['edns']>, rcode: number): void {
    buffer[this.#offset++] = 0
    this.#u16(TYPE.opt)
    this.#u16(edns.udpSize)
    buffer[this.#offset++] = rcode >>> 4
    buffer[this.#offset++] = edns.version
    this.#u16(edns.dnssecOk ? 0x8000 : 0)
    this.#u16(0)
  }

  #record({ name, type, class: recordClass, ttl, data }: ResourceRecord): void {
    this.#name(name, true)
    this.#u16(type)
    this.#u16(recordClass)
    this.#u16(ttl >>> 16)
    this.#u16(ttl & 0xffff)
    const lengthAt = this.#offset
    this.#offset += 2
    for (const part of data) {
      if (typeof part === 'string') this.#name(part, COMPRESSED_DATA.has(type))
      else this.#raw(part)
    }
    buffer.writeUInt16BE(Math.min(this.#offset - lengthAt - 2, 0xffff), lengthAt)
  }

  #name(name: Name, compress: boolean): void {
    const labels = labelsOf(name)
    const start = this.#offset
    for (let index = 0; index < labels.length; index++) {
      const rest = sameCase(index === 0 ? name : labels.slice(index).join('.'))
      const known = compress ? this.#names.get(rest) : undefined
      if (known !== undefined) {
        this.#u16(0xc000 | known)
        return
      }
      if (this.#offset <= FURTHEST_TARGET && !this.#names.has(rest)) this.#names.set(rest, this.#offset)
      this.#label(labels[index]!)
    }
    buffer[this.#offset++] = 0
    if (this.#offset - start > MAX_NAME) throw new RangeError(`the name ${name} is too long`)
  }

  #label(escaped: string): void {
    const label = escaped.includes('\\') ? escaped.replace(/\\(.)/gs, '$1') : escaped
    if (label.length === 0 || label.length > 63) throw new RangeError(`"${label}" is no label of a name`)
    buffer[this.#offset] = label.length
    if (this.#offset < LARGEST_MESSAGE) buffer.write(label, this.#offset + 1, 'latin1')
    this.#offset += 1 + label.length
  }

  #raw(part: Uint8Array): void {
    if (this.#offset + part.length < buffer.length) buffer.set(part, this.#offset)
    this.#offset += part.length
  }

  #u16(value: number): void {
    if (this.#offset + 2 <= buffer.length) buffer.writeUInt16BE(value, this.#offset)
    this.#offset += 2
  }

  #forgetNamesFrom(offset: number): void {
    for (const [name, at] of this.#names) if (at >= offset) this.#names.delete(name)
  }
}
