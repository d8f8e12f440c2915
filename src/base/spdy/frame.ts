// SPDY/3.1 frames as bytes (SPDY Protocol draft 3.1, section 2.6). Knows no connection state.

export const FRAME = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const

export const FLAG_FIN = 1
const VERSION = 3
const HEADER_BYTES = 8
/** Control frames of the streams that we speak are below 1 KiB. */
const MOST_CONTROL_BYTES = 64 * 1024
/** Small enough that the streams of a connection take turns. */
const MOST_DATA_BYTES = 64 * 1024

export type SpdyFrame =
  | { kind: 'control'; type: number; flags: number; payload: Buffer }
  /** A part of a data frame as it came; `fin` only on the last part. */
  | { kind: 'data'; streamId: number; chunk: Buffer; fin: boolean }

export function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(0x8000 | VERSION, 0)
  header.writeUInt16BE(type, 2)
  header.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4)
  return Buffer.concat([header, payload])
}

/** A control frame of plain 32-bit numbers: RST_STREAM, PING, GOAWAY, WINDOW_UPDATE. */
export function numbersFrame(type: number, ...numbers: readonly number[]): Buffer {
  const payload = Buffer.alloc(4 * numbers.length)
  numbers.forEach((number, index) => {
    payload.writeUInt32BE(number, 4 * index)
  })
  return controlFrame(type, 0, payload)
}

export function synStreamFrame(streamId: number, headers: Buffer, fin: boolean): Buffer {
  const ids = Buffer.alloc(10)
  ids.writeUInt32BE(streamId, 0)
  return controlFrame(FRAME.synStream, fin ? FLAG_FIN : 0, Buffer.concat([ids, headers]))
}

export function synReplyFrame(streamId: number, headers: Buffer): Buffer {
  const id = Buffer.alloc(4)
  id.writeUInt32BE(streamId)
  return controlFrame(FRAME.synReply, 0, Buffer.concat([id, headers]))
}

/** Heads and bodies in turn: bodies are not copied. */
export function* dataFrames(streamId: number, chunk: Buffer, fin: boolean): Generator<Buffer> {
  let at = 0
  do {
    const part = chunk.subarray(at, at + MOST_DATA_BYTES)
    at += part.length
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt32BE(streamId, 0)
    const flags = fin && at >= chunk.length ? FLAG_FIN : 0
    header.writeUInt32BE(((flags << 24) | part.length) >>> 0, 4)
    yield header
    if (part.length > 0) yield part
  } while (at < chunk.length)
}

type ParserState =
  | { at: 'header' }
  | { at: 'control'; type: number; flags: number; length: number }
  | { at: 'data'; streamId: number; fin: boolean; left: number }

/** Cuts bytes, however they come in pieces, into frames. Holds back no data, and no more than one control frame. */
export class FrameParser {
  #state: ParserState = { at: 'header' }
  #held: Buffer = Buffer.alloc(0)

  #data(state: ParserState & { at: 'data' }, chunk: Buffer): SpdyFrame {
    const { streamId, fin } = state
    const left = state.left - chunk.length
    this.#state = left > 0 ? { ...state, left } : { at: 'header' }
    return { kind: 'data', streamId, chunk, fin: fin && left === 0 }
  }

  /** Throws for what is not SPDY/3.1. Take every frame of one chunk before giving the next. */
  *frames(chunk: Buffer): Generator<SpdyFrame> {
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = Buffer.alloc(0)
    for (;;) {
      if (this.#state.at === 'data') {
        const part = rest.subarray(0, this.#state.left)
        if (part.length === 0 && this.#state.left > 0) return
        rest = rest.subarray(part.length)
        yield this.#data(this.#state, part)
        continue
      }
      const needed = this.#state.at === 'header' ? HEADER_BYTES : this.#state.length
      if (rest.length < needed) {
        this.#held = Buffer.from(rest)
        return
      }
      const part = rest.subarray(0, needed)
      rest = rest.subarray(needed)
      if (this.#state.at === 'header') this.#state = readHeader(part)
      else yield this.#control(this.#state, part)
    }
  }

  #control({ type, flags }: ParserState & { at: 'control' }, payload: Buffer): SpdyFrame {
    this.#state = { at: 'header' }
    return { kind: 'control', type, flags, payload }
  }
}

function readHeader(header: Buffer): ParserState {
  const first = header.readUInt32BE(0)
  const second = header.readUInt32BE(4)
  const [flags, length] = [second >>> 24, second & 0xffffff]
  if (first < 0x80000000) return { at: 'data', streamId: first, fin: (flags & FLAG_FIN) !== 0, left: length }
  const version = (first >>> 16) & 0x7fff
  if (version !== VERSION) throw new Error(`SPDY version ${version} is not spoken here`)
  if (length > MOST_CONTROL_BYTES) throw new Error(`a SPDY control frame of ${length} bytes is too large`)
  return { at: 'control', type: first & 0xffff, flags, length }
}
