// Pairs the streams of connections that travel together in one SPDY connection: each has a stream for its bytes and one
// for what goes wrong, and both name the same request.
import type { Clock } from '../clock.ts'
import type { SpdyConnection } from './spdy-connection.ts'
import type { SpdyStream } from './spdy-stream.ts'

export interface StreamPairsOptions {
  clock: Clock
  /** A stream whose partner does not come in this time is given up. */
  withinMs: number
  onPair(data: SpdyStream, error: SpdyStream): void
}

interface Pair {
  data?: SpdyStream
  error?: SpdyStream
  complete: AbortController
}

export class StreamPairs {
  readonly #options: StreamPairsOptions
  readonly #pairs = new Map<string, Pair>()

  constructor(options: StreamPairsOptions) {
    this.#options = options
  }

  /** `streamtype` is "data" or "error": the caller has looked. */
  take(stream: SpdyStream, connection: SpdyConnection): void {
    const key = requestOf(stream)
    const pair: Pair = this.#pairs.get(key) ?? this.#begin(key, connection)
    const type = stream.headers.streamtype as 'data' | 'error'
    if (pair[type]) {
      stream.destroy()
      return
    }
    pair[type] = stream
    if (!pair.data || !pair.error) return
    pair.complete.abort()
    this.#pairs.delete(key)
    this.#options.onPair(pair.data, pair.error)
  }

  #begin(key: string, connection: SpdyConnection): Pair {
    const pair: Pair = { complete: new AbortController() }
    this.#pairs.set(key, pair)
    const { clock, withinMs } = this.#options
    const signal = AbortSignal.any([pair.complete.signal, connection.signal])
    clock.sleep(withinMs, signal).then(
      () => this.#giveUp(key, pair),
      () => this.#pairs.delete(key),
    )
    return pair
  }

  #giveUp(key: string, { data, error }: Pair): void {
    this.#pairs.delete(key)
    error?.end(`timed out waiting for streams for request ${key}`)
    data?.destroy()
  }
}

/** Old clients send no requestID: their data stream follows their error stream. */
function requestOf({ id, headers }: SpdyStream): string {
  return headers.requestid || String(headers.streamtype === 'error' ? id : id - 2)
}
