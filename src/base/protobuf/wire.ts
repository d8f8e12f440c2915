// The protobuf wire format: varints, fixed-size numbers, length-delimited bytes. Knows no messages.
// 64-bit integers are numbers; beyond 2^53 they lose precision.

/** Bytes that are not a well-formed message. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ProtobufError'
  }
}

export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

const TWO_32 = 2 ** 32

/**
 * Writes back to front, so that a nested message's length is known when its tag is written.
 * Callers therefore write the last field first, and a field's value before its tag.
 */
export class Writer {
  #buffer = Buffer.allocUnsafe(1024)
  #at = 1024

  /** Bytes written so far. */
  get size(): number {
    return this.#buffer.length - this.#at
  }

  finish(): Uint8Array {
    return this.#buffer.subarray(this.#at)
  }

  tag(field: number, wireType: number): void {
    this.uint32(field * 8 + wireType)
  }

  uint32(value: number): void {
    let rest = value >>> 0
    const size = rest < 0x80 ? 1 : rest < 0x4000 ? 2 : rest < 0x200000 ? 3 : rest < 0x10000000 ? 4 : 5
    let at = this.#reserve(size)
    for (; rest > 0x7f; rest >>>= 7) this.#buffer[at++] = (rest & 0x7f) | 0x80
    this.#buffer[at] = rest
  }

  /** Any integer, negative ones as 64-bit two's complement. */
  varint(value: number): void {
    if (value >= 0 && value < TWO_32) this.uint32(value)
    else this.#varint64(value)
  }

  #varint64(value: number): void {
    let low = value >>> 0
    let high = Math.floor(value / TWO_32) >>> 0
    const bytes: number[] = []
    while (high > 0 || low > 0x7f) {
      bytes.push((low & 0x7f) | 0x80)
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    bytes.push(low)
    this.bytes(bytes)
  }

  double(value: number): void {
    const at = this.#reserve(8)
    this.#buffer.writeDoubleLE(value, at)
  }

  bytes(bytes: ArrayLike<number>): void {
    const at = this.#reserve(bytes.length)
    this.#buffer.set(bytes, at)
  }

  /** Bytes with their length before them. */
  delimited(bytes: Uint8Array): void {
    this.bytes(bytes)
    this.uint32(bytes.length)
  }

  string(text: string): void {
    const size = Buffer.byteLength(text)
    const at = this.#reserve(size)
    this.#buffer.write(text, at, 'utf8')
    this.uint32(size)
  }

  #reserve(size: number): number {
    if (size > this.#at) this.#grow(size)
    this.#at -= size
    return this.#at
  }

  #grow(size: number): void {
    const used = this.size
    const bigger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, used + size))
    this.#buffer.copy(bigger, bigger.length - used, this.#at)
    this.#at = bigger.length - used
    this.#buffer = bigger
  }
}

/** Reads one message's bytes; never past `end`. Throws ProtobufError on malformed input. */
export class Reader {
  readonly bytes: Buffer
  #at: number
  readonly #end: number
  /** How many messages this one is nested in. */
  readonly depth: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length, depth = 0) {
    if (depth > 100) throw new ProtobufError('messages are nested too deeply')
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = start
    this.#end = end
    this.depth = depth
  }

  get done(): boolean {
    return this.#at >= this.#end
  }

  /** Returns field number and wire type. */
  tag(): [number, number] {
    const value = this.varint()
    const field = Math.floor(value / 8)
    if (field < 1 || field >= 2 ** 29) throw new ProtobufError(`illegal field number ${field}`)
    return [field, value % 8]
  }

  /** An unsigned 64-bit integer. */
  varint(): number {
    // Nearly all are tags and lengths of one byte.
    const byte = this.#at < this.#end ? this.bytes[this.#at]! : 0x80
    if (byte < 0x80) {
      this.#at++
      return byte
    }
    const [low, high] = this.#varint64()
    return low + high * TWO_32
  }

  /** A signed 64-bit integer. */
  int64(): number {
    const [low, high] = this.#varint64()
    return low + (high | 0) * TWO_32
  }

  double(): number {
    const at = this.#take(8)
    return this.bytes.readDoubleLE(at)
  }

  /** A view into the input, not a copy. */
  delimited(): Uint8Array {
    const size = this.varint()
    const at = this.#take(size)
    return this.bytes.subarray(at, at + size)
  }

  string(): string {
    const size = this.varint()
    const at = this.#take(size)
    return this.bytes.toString('utf8', at, at + size)
  }

  /** All that is left: a view into the input, not a copy. */
  rest(): Uint8Array {
    const at = this.#take(this.#end - this.#at)
    return this.bytes.subarray(at, this.#end)
  }

  /** A reader of the message that follows. */
  nested(): Reader {
    const size = this.varint()
    const at = this.#take(size)
    return new Reader(this.bytes, at, at + size, this.depth + 1)
  }

  skip(wireType: number): void {
    if (wireType === VARINT) this.#varint64()
    else if (wireType === FIXED64) this.#take(8)
    else if (wireType === BYTES) this.delimited()
    else if (wireType === FIXED32) this.#take(4)
    else throw new ProtobufError(`illegal wire type ${wireType}`)
  }

  #take(size: number): number {
    const at = this.#at
    if (size > this.#end - at) throw new ProtobufError('unexpected end of message')
    this.#at = at + size
    return at
  }

  #varint64(): [number, number] {
    let low = 0
    let high = 0
    for (let index = 0; index < 10; index++) {
      const byte = this.bytes[this.#take(1)]!
      const bits = byte & 0x7f
      if (index < 4) low |= bits << (index * 7)
      else if (index === 4) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (index * 7 - 32)
      if (byte < 0x80) return [low >>> 0, high >>> 0]
    }
    throw new ProtobufError('varint is longer than ten bytes')
  }
}
