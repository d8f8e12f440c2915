// Netlink's type-length-value attributes: how they are written and read. Lengths are in bytes, padded to four.
const HEADER = 4
const NESTED = 0x8000
const TYPE_MASK = 0x3fff

export const align = (length: number): number => (length + 3) & ~3

export function attribute(type: number, value: Buffer): Buffer {
  const buffer = Buffer.alloc(align(HEADER + value.length))
  buffer.writeUInt16LE(HEADER + value.length, 0)
  buffer.writeUInt16LE(type, 2)
  value.copy(buffer, HEADER)
  return buffer
}

/** An attribute that holds attributes. */
export const nested = (type: number, ...parts: readonly Buffer[]): Buffer =>
  attribute(type | NESTED, parts.length === 1 ? parts[0]! : Buffer.concat(parts))

/** A string ends with a zero byte. */
export const textAttribute = (type: number, text: string): Buffer => attribute(type, Buffer.from(`${text}\0`))

/** Netfilter's numbers are big-endian. */
export function u32Attribute(type: number, value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value | 0)
  return attribute(type, buffer)
}

/** The attributes of a message or of a nested attribute, by type; of a type that comes twice the last. */
export function readAttributes(buffer: Buffer): Map<number, Buffer> {
  return new Map(listAttributes(buffer))
}

/** In order; for lists, whose members share a type. */
export function listAttributes(buffer: Buffer): [type: number, value: Buffer][] {
  const found: [number, Buffer][] = []
  for (let offset = 0; offset + HEADER <= buffer.length; ) {
    const length = buffer.readUInt16LE(offset)
    if (length < HEADER) break
    const type = buffer.readUInt16LE(offset + 2) & TYPE_MASK
    found.push([type, buffer.subarray(offset + HEADER, offset + length)])
    offset += align(length)
  }
  return found
}
