// Reads ASN.1 values in DER, as far as certificate requests need it. Throws DerError for what is cut off or malformed.

export class DerError extends Error {}

export interface DerValue {
  tag: number
  content: Buffer
  /** Tag, length and content. */
  whole: Buffer
}

export const SEQUENCE = 0x30
export const SET = 0x31
export const OBJECT_IDENTIFIER = 0x06
export const OCTET_STRING = 0x04
export const BIT_STRING = 0x03

/** All values that stand one after the other. */
export function readAll(bytes: Buffer): DerValue[] {
  const values: DerValue[] = []
  for (let rest = bytes; rest.length > 0; ) {
    const value = readOne(rest)
    values.push(value)
    rest = rest.subarray(value.whole.length)
  }
  return values
}

/** Exactly one value with this tag. */
export function readWhole(bytes: Buffer, tag: number): DerValue {
  const [value, ...more] = readAll(bytes)
  if (value?.tag !== tag || more.length > 0) throw new DerError(`expected one value with tag ${tag}`)
  return value
}

function readOne(bytes: Buffer): DerValue {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined) throw new DerError('a value is cut off')
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || lengthBytes > 4) throw new DerError('a length is malformed')
  const start = 2 + lengthBytes
  if (bytes.length < start) throw new DerError('a length is cut off')
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes)
  if (bytes.length < start + length) throw new DerError('a value is cut off')
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) }
}

/** '2.5.4.3'. */
export function objectIdentifierText({ content }: DerValue): string {
  const numbers: number[] = []
  let current = 0
  for (const byte of content) {
    current = current * 128 + (byte & 0x7f)
    if (byte & 0x80) continue
    numbers.push(current)
    current = 0
  }
  const [first = 0, ...rest] = numbers
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}
