// Waits for the streams that a client announces to open, each named by a header.
import type { Clock } from '../clock.ts'
import type { SpdyConnection } from './spdy-connection.ts'
import type { SpdyStream } from './spdy-stream.ts'

export class StreamCollector {
  readonly streams = new Map<string, SpdyStream>()
  readonly #header: string
  readonly #missing: Set<string>
  readonly #complete = Promise.withResolvers<void>()

  /** `header` names a stream; streams that are not in `names`, or come twice, are refused. */
  constructor(header: string, names: readonly string[]) {
    this.#header = header
    this.#missing = new Set(names)
    if (names.length === 0) this.#complete.resolve()
  }

  /** To be called for every stream of the connection. */
  take(stream: SpdyStream): void {
    const name = stream.headers[this.#header] ?? ''
    if (!this.#missing.delete(name)) {
      stream.destroy()
      return
    }
    this.streams.set(name, stream)
    if (this.#missing.size === 0) this.#complete.resolve()
  }

  /** Throws, the connection being closed, when they have not all come in time or the connection ends before. */
  async complete(connection: SpdyConnection, clock: Clock, withinMs: number): Promise<void> {
    const done = new AbortController()
    const late = async () => {
      await clock.sleep(withinMs, AbortSignal.any([done.signal, connection.signal])).catch(() => {})
      if (done.signal.aborted) return
      connection.destroy()
      throw new Error('timed out waiting for client to create streams')
    }
    try {
      await Promise.race([this.#complete.promise, late()])
    } finally {
      done.abort()
    }
  }
}
