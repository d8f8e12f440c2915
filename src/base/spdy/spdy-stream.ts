// One stream of a SPDY connection as a Duplex: ending it sends FIN, destroying it sends RST_STREAM.
import { Duplex } from 'node:stream'
import type { SpdyHeaders } from './header-block.ts'

/** What a stream asks of its connection. */
export interface StreamCarrier {
  sendData(streamId: number, chunk: Buffer, fin: boolean, done: (error?: Error | null) => void): void
  /** The stream is over; `reset` tells the other end that not all was said. */
  streamOver(streamId: number, reset: boolean): void
}

const BUFFER_BYTES = 64 * 1024

export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: SpdyHeaders
  readonly #carrier: StreamCarrier
  #room: (() => void) | undefined
  #saidAll = false
  #heardAll = false
  #lost = false

  constructor(id: number, headers: SpdyHeaders, carrier: StreamCarrier) {
    super({ readableHighWaterMark: BUFFER_BYTES, writableHighWaterMark: BUFFER_BYTES })
    this.id = id
    this.headers = headers
    this.#carrier = carrier
    // A stream that nobody listens to must not end the program when it breaks.
    this.on('error', () => {})
  }

  /** For the connection: bytes from the other end. Answers a promise when the reader must catch up first. */
  receive(chunk: Buffer, fin: boolean): Promise<void> | undefined {
    if (this.destroyed || this.#heardAll) return undefined
    const hasRoom = chunk.length === 0 || this.push(chunk)
    if (fin) {
      this.#heardAll = true
      this.push(null)
      return undefined
    }
    if (hasRoom) return undefined
    return new Promise(resolve => {
      this.#room = resolve
    })
  }

  /** For the connection: it is over. What was heard completely can still be read; what is said goes nowhere. */
  connectionLost(error: Error): void {
    this.#lost = true
    if (!this.#heardAll) this.destroy(error)
  }

  /** For the connection: the other end has said all that it will, and hears no more. */
  otherEndLeft(): void {
    this.#lost = true
    this.receive(Buffer.alloc(0), true)
  }

  override _read(): void {
    this.readOn()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#lost) done()
    else this.#carrier.sendData(this.id, chunk, false, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#saidAll = true
    if (this.#lost) done()
    else this.#carrier.sendData(this.id, Buffer.alloc(0), true, done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.readOn()
    this.#carrier.streamOver(this.id, !(this.#saidAll && this.#heardAll))
    done(error)
  }

  /** Lets the connection go on, room or not. */
  readOn(): void {
    const room = this.#room
    this.#room = undefined
    room?.()
  }
}
