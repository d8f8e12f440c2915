// Writes ASN.1 values in DER. Only what X.509 certificates need; it reads nothing.

/** One value: tag, length and the concatenated parts as content. */
export function encode(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content])
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export const sequence = (...parts: Uint8Array[]): Buffer => encode(0x30, ...parts)
export const setOf = (...parts: Uint8Array[]): Buffer => encode(0x31, ...parts)
export const boolean = (value: boolean): Buffer => encode(0x01, Buffer.from([value ? 0xff : 0]))
export const octetString = (value: Uint8Array): Buffer => encode(0x04, value)
export const utf8String = (value: string): Buffer => encode(0x0c, Buffer.from(value, 'utf8'))
/** `constructed` values carry whole inner values (EXPLICIT); others replace the inner tag (IMPLICIT). */
export const contextSpecific = (number: number, constructed: boolean, value: Uint8Array): Buffer =>
  encode(0x80 | (constructed ? 0x20 : 0) | number, value)

/** A non-negative integer given as big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const trimmed = bytes.subarray(start)
  const needsSign = (trimmed[0] ?? 0) >= 0x80
  return encode(0x02, needsSign ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed)
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return encode(0x03, Buffer.from([unusedBits]), bytes)
}

/** A BIT STRING of named bits: trailing zero bits are dropped, as DER demands. */
export function namedBits(bits: readonly number[]): Buffer {
  const highest = Math.max(...bits)
  const bytes = Buffer.alloc(Math.floor(highest / 8) + 1)
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
  return bitString(bytes, 7 - (highest & 7))
}

/** `dotted` such as '2.5.29.14'. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return encode(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 4.1.2.5). Whole seconds. */
export function time(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '')
  return Number(digits.slice(0, 4)) < 2050
    ? encode(0x17, Buffer.from(digits.slice(2)))
    : encode(0x18, Buffer.from(digits))
}
