// Name/value blocks of SPDY/3.1 and their compression: one zlib stream per direction for a connection's whole life.
import { createInflate, type Inflate } from 'node:zlib'
import { headerDictionary } from './header-dictionary.ts'

/** Lower-case names; several values of one name are joined by NUL, as on the wire. */
export type SpdyHeaders = Readonly<Record<string, string>>

/** More than this, unpacked, is taken for an attack. */
const MOST_BYTES = 64 * 1024

/** Throws for a block whose lengths do not fit. */
export function decodeHeaders(block: Buffer): SpdyHeaders {
  const headers: Record<string, string> = {}
  let at = 0
  const number = () => {
    if (at + 4 > block.length) throw new Error('a SPDY header block ends too early')
    at += 4
    return block.readUInt32BE(at - 4)
  }
  const text = () => {
    const length = number()
    if (at + length > block.length) throw new Error('a SPDY header block ends too early')
    at += length
    return block.toString('utf8', at - length, at)
  }
  for (let left = number(); left > 0; left--) {
    const name = text()
    headers[name.toLowerCase()] = text()
  }
  return headers
}

export function encodeHeaders(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers)
  const pieces = [uint32(entries.length)]
  for (const [name, value] of entries) {
    for (const part of [Buffer.from(name.toLowerCase()), Buffer.from(value)])
      pieces.push(uint32(part.length), part)
  }
  return Buffer.concat(pieces)
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

/** zlib's own header (RFC 1950): deflate, a 32 KiB window, no preset dictionary. */
const ZLIB_HEADER = Buffer.from([0x78, 0x01])
/** An empty stored block: tells the reader to hand out what it has (a "sync flush"). */
const FLUSH = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff])
const LONGEST_STORED = 0xffff

/**
 * Packs blocks without compressing them: our headers are a few dozen bytes, and stored blocks (RFC 1951, 3.2.4)
 * need no state and no waiting.
 */
export class HeaderPacker {
  #started = false

  pack(headers: SpdyHeaders): Buffer {
    const block = encodeHeaders(headers)
    const pieces: Buffer[] = this.#started ? [] : [ZLIB_HEADER]
    this.#started = true
    for (let at = 0; at < block.length; at += LONGEST_STORED) {
      const part = block.subarray(at, at + LONGEST_STORED)
      const lengths = Buffer.alloc(5)
      lengths.writeUInt16LE(part.length, 1)
      lengths.writeUInt16LE(~part.length & 0xffff, 3)
      pieces.push(lengths, part)
    }
    return Buffer.concat([...pieces, FLUSH])
  }
}

/** Unpacks the other end's blocks, in the order in which they came; wait for one before giving the next. */
export class HeaderUnpacker {
  readonly #inflate: Inflate = createInflate({ dictionary: headerDictionary })
  #pieces: Buffer[] = []
  #size = 0
  #failed: Error | undefined
  #waiting: { reject(error: Error): void } | undefined

  constructor() {
    this.#inflate.on('data', (piece: Buffer) => {
      this.#size += piece.length
      if (this.#size <= MOST_BYTES) this.#pieces.push(piece)
    })
    // A broken block ends the zlib stream without an answer to the write.
    this.#inflate.on('error', error => {
      this.#failed = error
      this.#waiting?.reject(error)
    })
  }

  /** Throws when the block cannot be unpacked; the connection is of no use then. */
  async unpack(packed: Buffer): Promise<SpdyHeaders> {
    this.#size = 0
    this.#pieces = []
    if (this.#failed) throw this.#failed
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting = { reject }
    this.#inflate.write(packed, error => (error ? reject(error) : resolve()))
    await promise
    if (this.#size > MOST_BYTES) throw new Error('a SPDY header block is too large')
    return decodeHeaders(Buffer.concat(this.#pieces))
  }

  close(): void {
    this.#inflate.destroy()
  }
}
