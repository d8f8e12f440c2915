// Reads the headers of a tar stream that passes by on its way to tar: finds whiteouts, adds up sizes, and refuses
// names that would leave the layer. It unpacks nothing; tar does, and refuses on its own what slips through here.
import { Transform, type TransformCallback } from 'node:stream'
import { ImageError } from './image-error.ts'

const BLOCK = 512
/** Extended headers hold paths and attributes; more than this is no layer that we want in memory. */
const LARGEST_EXTENSION_BYTES = 1 << 20

const WHITEOUT_PREFIX = '.wh.'
const OPAQUE_NAME = '.wh..wh..opq'

export interface LayerFacts {
  /** Paths that the layer deletes, without the `.wh.`. */
  whiteouts: string[]
  /** Directories whose lower contents the layer hides. */
  opaque: string[]
  /** Every marker's own path: they are no files of the layer. */
  markers: string[]
  bytes: number
  inodes: number
}

/** Passes the stream on unchanged and fills `facts`; fails with ImageError on a name outside the layer. */
export class TarScan extends Transform {
  readonly facts: LayerFacts = { whiteouts: [], opaque: [], markers: [], bytes: 0, inodes: 0 }
  #pending = Buffer.alloc(0)
  #skip = 0
  #extension: { type: string; parts: Buffer[]; left: number; padding: number } | undefined
  #nextName: string | undefined
  #nextLink: string | undefined
  #nextSize: number | undefined
  #globalName: string | undefined
  #ended = false

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#read(chunk)
      done(null, chunk)
    } catch (error) {
      done(error as Error)
    }
  }

  #read(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && !this.#ended) {
      if (this.#extension) at = this.#readExtension(chunk, at)
      else if (this.#skip > 0) at += this.#skipOver(chunk.length - at)
      else at = this.#readHeaderPart(chunk, at)
    }
  }

  #skipOver(available: number): number {
    const step = Math.min(this.#skip, available)
    this.#skip -= step
    return step
  }

  #readHeaderPart(chunk: Buffer, at: number): number {
    const wanted = BLOCK - this.#pending.length
    const part = chunk.subarray(at, at + wanted)
    if (this.#pending.length === 0 && part.length === BLOCK) this.#header(part)
    else {
      this.#pending = Buffer.concat([this.#pending, part])
      if (this.#pending.length === BLOCK) {
        const header = this.#pending
        this.#pending = Buffer.alloc(0)
        this.#header(header)
      }
    }
    return at + part.length
  }

  #readExtension(chunk: Buffer, at: number): number {
    const extension = this.#extension!
    const part = chunk.subarray(at, at + extension.left)
    extension.parts.push(Buffer.from(part))
    extension.left -= part.length
    if (extension.left === 0) {
      this.#extension = undefined
      this.#skip = extension.padding
      this.#applyExtension(extension.type, Buffer.concat(extension.parts))
    }
    return at + part.length
  }

  #header(header: Buffer): void {
    // A block of zeros ends the archive. Tars without one simply stop.
    if (header.every(byte => byte === 0)) {
      this.#ended = true
      return
    }
    checkSum(header)
    const type = String.fromCharCode(header[156]!)
    const size = this.#nextSize ?? readNumber(header.subarray(124, 136))
    const padding = (BLOCK - (size % BLOCK)) % BLOCK
    if ('xgLK'.includes(type)) {
      if (size > LARGEST_EXTENSION_BYTES)
        throw new ImageError('Invalid', 'a header in the layer is too large')
      if (size > 0) this.#extension = { type, parts: [], left: size, padding }
      return
    }
    if (type === 'S' && header[482] === 1)
      throw new ImageError('Invalid', 'old sparse files are not supported in layers')
    this.#entry(header, type, size)
    // Links, devices and directories have no content, whatever their size says.
    this.#skip = '123456'.includes(type) ? 0 : size + padding
    this.#nextName = undefined
    this.#nextLink = undefined
    this.#nextSize = undefined
  }

  #applyExtension(type: string, content: Buffer): void {
    if (type === 'L') this.#nextName = text(content)
    else if (type === 'K') this.#nextLink = text(content)
    else {
      const records = paxRecords(content)
      if (type === 'g') this.#globalName = records.get('path')
      else {
        // GNU tar's sparse format keeps the file's real name in a record of its own.
        this.#nextName = records.get('GNU.sparse.name') ?? records.get('path') ?? this.#nextName
        this.#nextLink = records.get('linkpath') ?? this.#nextLink
        const size = records.get('size')
        if (size !== undefined) this.#nextSize = Number(size)
      }
    }
  }

  #entry(header: Buffer, type: string, size: number): void {
    const name = clean(this.#nextName ?? this.#globalName ?? headerName(header))
    const parts = name.split('/')
    if (parts.includes('..'))
      throw new ImageError('Invalid', `the layer has a path outside of it: ${JSON.stringify(name)}`)
    if (type === '1') {
      const target = clean(this.#nextLink ?? text(header.subarray(157, 257)))
      if (target.split('/').includes('..')) {
        throw new ImageError('Invalid', `the layer has a hard link to outside of it: ${JSON.stringify(name)}`)
      }
    }
    const base = parts.at(-1)!
    if (base.startsWith(WHITEOUT_PREFIX)) {
      this.#marker(name, base)
      return
    }
    this.facts.inodes++
    if (type === '0' || type === '\0' || type === '7') this.facts.bytes += size
  }

  #marker(name: string, base: string): void {
    this.facts.markers.push(name)
    const parent = name.slice(0, Math.max(0, name.length - base.length - 1))
    if (base === OPAQUE_NAME) this.facts.opaque.push(parent)
    // Other names with the doubled prefix are aufs's own and mean nothing to us.
    else if (!base.startsWith('.wh..wh.')) this.#whiteout(parent, base.slice(WHITEOUT_PREFIX.length))
  }

  #whiteout(parent: string, hidden: string): void {
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw new ImageError('Invalid', `the layer has an invalid whiteout in ${JSON.stringify(parent)}`)
    }
    this.facts.whiteouts.push(parent === '' ? hidden : `${parent}/${hidden}`)
  }
}

/** './a//b/' and '/a/b' are 'a/b', as tar unpacks them. */
const clean = (name: string) =>
  name
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .join('/')

function headerName(header: Buffer): string {
  const name = text(header.subarray(0, 100))
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isUstar ? text(header.subarray(345, 500)) : ''
  return prefix ? `${prefix}/${name}` : name
}

function text(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? field.length : end)
}

/** Octal text, or base 256 for numbers that do not fit. */
function readNumber(field: Buffer): number {
  if (field[0]! & 0x80) {
    let value = field[0]! & 0x7f
    for (const byte of field.subarray(1)) value = value * 256 + byte
    return checkedSize(value)
  }
  return checkedSize(Number.parseInt(text(field).trim() || '0', 8))
}

function checkedSize(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new ImageError('Invalid', 'the layer is not a tar archive')
}

/** The header's sum with its own field read as spaces, which tells a tar from anything else. */
function checkSum(header: Buffer): void {
  let sum = 0
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i]!
  if (sum !== readNumber(header.subarray(148, 156)))
    throw new ImageError('Invalid', 'the layer is not a tar archive')
}

/** Records are "LENGTH KEY=VALUE\n", the length counting all of the record. */
function paxRecords(content: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(32, at)
    const length = Number(content.toString('latin1', at, space))
    if (space === -1 || !Number.isInteger(length) || length <= 0) break
    const equals = content.indexOf(61, space)
    records.set(
      content.toString('utf8', space + 1, equals),
      content.toString('utf8', equals + 1, at + length - 1),
    )
    at += length
  }
  return records
}
