// A SPDY/3.1 connection over any duplex of bytes, either end of it. Reading stops while a stream's reader is behind:
// nothing piles up here. Windows: ours are opened as readers read on, for ends that heed them; the other end's are not
// waited for, because the common clients never open theirs.
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import {
  controlFrame,
  dataFrames,
  FLAG_FIN,
  FRAME,
  FrameParser,
  numbersFrame,
  type SpdyFrame,
  synReplyFrame,
  synStreamFrame,
} from './frame.ts'
import { HeaderPacker, HeaderUnpacker, type SpdyHeaders } from './header-block.ts'
import { SpdyStream, type StreamCarrier } from './spdy-stream.ts'

export interface SpdyConnectionOptions {
  role: 'server' | 'client'
  /** A reset of the other end is the end of what it says, not a failure: what came before is whole. */
  resetEnds?: boolean
  /** The other end opened a stream; it is answered already. Destroy it to refuse it. */
  onStream?: (stream: SpdyStream) => void
}

/** Opened again once this much was read: half of the protocol's initial window. */
const WINDOW_STEP_BYTES = 32 * 1024
const RST = { protocolError: 1, invalidStream: 2, cancel: 5 } as const

export class SpdyConnection implements StreamCarrier {
  readonly #socket: Duplex
  readonly #options: SpdyConnectionOptions
  readonly #streams = new Map<number, SpdyStream>()
  readonly #packer = new HeaderPacker()
  readonly #unpacker = new HeaderUnpacker()
  readonly #over = new AbortController()
  readonly #unannounced = new Map<number, number>()
  #nextId: number
  #lastHeard = 0
  #closing = false
  #isRest = false

  constructor(socket: Duplex, options: SpdyConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.#nextId = options.role === 'client' ? 1 : 2
    socket.on('error', () => {})
    socket.once('close', () => this.#readRest())
    this.#read().catch(error => this.destroy(error as Error))
  }

  /** Aborted when the connection is over, whoever ended it. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  openStream(headers: SpdyHeaders): SpdyStream {
    const id = this.#nextId
    this.#nextId += 2
    const stream = new SpdyStream(id, headers, this)
    this.#streams.set(id, stream)
    this.#send(synStreamFrame(id, this.#packer.pack(headers), false))
    return stream
  }

  /** Everything written so far is sent, then the connection ends. Streams still open are cut. */
  async close(): Promise<void> {
    if (this.#closing || this.#over.signal.aborted) return
    this.#closing = true
    this.#send(numbersFrame(FRAME.goAway, this.#lastHeard, 0))
    await new Promise<void>(resolve => {
      this.#socket.once('close', () => resolve())
      this.#socket.end(() => resolve())
    })
    this.#ended(new Error('the SPDY connection was closed'))
  }

  /** At once; nothing more is sent. */
  destroy(error: Error = new Error('the SPDY connection was closed')): void {
    this.#socket.destroy()
    this.#ended(error)
  }

  sendData(streamId: number, chunk: Buffer, fin: boolean, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) {
      done(new Error('the SPDY connection was closed'))
      return
    }
    this.#socket.cork()
    const pieces = [...dataFrames(streamId, chunk, fin)]
    const last = pieces.pop()!
    for (const piece of pieces) this.#socket.write(piece)
    this.#socket.write(last, done)
    this.#socket.uncork()
  }

  streamOver(streamId: number, reset: boolean): void {
    if (!this.#streams.delete(streamId)) return
    this.#unannounced.delete(streamId)
    if (reset) this.#send(numbersFrame(FRAME.rstStream, streamId, RST.cancel))
  }

  #send(frame: Buffer): void {
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.write(frame)
  }

  async #read(): Promise<void> {
    const parser = new FrameParser()
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
      for (const frame of parser.frames(chunk as Buffer)) {
        const handled =
          frame.kind === 'data' ? this.#receiveData(frame) : this.#receiveControl(frame.type, frame)
        if (handled) await handled
      }
    }
    this.#ended(new Error('the SPDY connection was closed'))
  }

  /** The last bytes may still wait for a reader: they are handed on without waiting, then the connection is over. */
  #readRest(): void {
    this.#isRest = true
    for (const stream of this.#streams.values()) stream.readOn()
  }

  #receiveData({ streamId, chunk, fin }: SpdyFrame & { kind: 'data' }): Promise<void> | undefined {
    const stream = this.#streams.get(streamId)
    // Bytes that were on their way when the stream was given up.
    if (!stream) return undefined
    const room = stream.receive(chunk, fin)
    if (room && !this.#isRest) return room.then(() => this.#announce(streamId, chunk.length))
    this.#announce(streamId, chunk.length)
    return undefined
  }

  /** Tells the other end that there is room again: of the stream, and (as stream 0) of the whole connection. */
  #announce(streamId: number, bytes: number): void {
    for (const id of [streamId, 0]) {
      const sum = (this.#unannounced.get(id) ?? 0) + bytes
      if (sum >= WINDOW_STEP_BYTES) this.#send(numbersFrame(FRAME.windowUpdate, id, sum))
      this.#unannounced.set(id, sum >= WINDOW_STEP_BYTES ? 0 : sum)
    }
  }

  #receiveControl(
    type: number,
    { flags, payload }: SpdyFrame & { kind: 'control' },
  ): Promise<void> | undefined {
    switch (type) {
      case FRAME.synStream:
        return this.#receiveStream(payload, (flags & FLAG_FIN) !== 0)
      case FRAME.synReply:
      case FRAME.headers:
        return this.#receiveHeaders(type, payload, (flags & FLAG_FIN) !== 0)
      case FRAME.rstStream:
        this.#receiveReset(id(payload))
        return undefined
      case FRAME.ping:
        this.#answerPing(payload)
        return undefined
      default:
        // GOAWAY: no new streams come; those there are go on. SETTINGS, WINDOW_UPDATE: see the head of the file.
        return undefined
    }
  }

  #receiveReset(streamId: number): void {
    const stream = this.#streams.get(streamId)
    if (!this.#options.resetEnds) {
      stream?.destroy(new Error('the other end reset the SPDY stream'))
      return
    }
    this.#streams.delete(streamId)
    this.#unannounced.delete(streamId)
    stream?.otherEndLeft()
  }

  async #receiveStream(payload: Buffer, fin: boolean): Promise<void> {
    if (payload.length < 10) throw new Error('a SPDY SYN_STREAM frame is too short')
    const headers = await this.#unpacker.unpack(payload.subarray(10))
    const streamId = id(payload)
    const isTheirs = streamId % 2 === (this.#options.role === 'server' ? 1 : 0)
    if (!isTheirs || streamId <= this.#lastHeard || !this.#options.onStream) {
      this.#send(numbersFrame(FRAME.rstStream, streamId, RST.protocolError))
      return
    }
    this.#lastHeard = streamId
    const stream = new SpdyStream(streamId, headers, this)
    this.#streams.set(streamId, stream)
    this.#send(synReplyFrame(streamId, this.#packer.pack({})))
    if (fin) stream.receive(Buffer.alloc(0), true)
    this.#options.onStream(stream)
  }

  /** The block must be unpacked even if nobody wants it: those that follow build on it. */
  async #receiveHeaders(type: number, payload: Buffer, fin: boolean): Promise<void> {
    await this.#unpacker.unpack(payload.subarray(4))
    const stream = this.#streams.get(id(payload))
    if (!stream && type === FRAME.synReply)
      this.#send(numbersFrame(FRAME.rstStream, id(payload), RST.invalidStream))
    if (fin) await stream?.receive(Buffer.alloc(0), true)
  }

  /** Pings with a number of the other end's kind are sent back; ours are not used. */
  #answerPing(payload: Buffer): void {
    const isTheirs = id(payload) % 2 === (this.#options.role === 'server' ? 1 : 0)
    if (isTheirs) this.#send(controlFrame(FRAME.ping, 0, Buffer.from(payload)))
  }

  #ended(error: Error): void {
    if (this.#over.signal.aborted) return
    this.#over.abort(error)
    this.#unpacker.close()
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    for (const stream of streams) stream.connectionLost(error)
  }
}

function id(payload: Buffer): number {
  if (payload.length < 4) throw new Error('a SPDY control frame is too short')
  return payload.readUInt32BE(0) & 0x7fffffff
}

/** Resolves when the connection is over. */
export async function connectionOver({ signal }: SpdyConnection): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
