// Where exec, attach and port-forward sessions are dialled: a URL with a secret is answered by the CRI call, good for
// one connection within a minute. Upstream: the streaming package of cri-streaming (request cache, server).
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { SpdyConnection } from '../../../base/spdy/spdy-connection.ts'
import type { SpdyStream } from '../../../base/spdy/spdy-stream.ts'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'

/** What is done with a connection once it is there. */
export interface StreamingSession {
  /** The stream protocol that is spoken. */
  protocol: string
  /** Takes every stream that the client opens, from the first on. */
  onStream(stream: SpdyStream, connection: SpdyConnection): void
  /** Until everything is said; the connection is closed after it. Aborts of `connection.signal` mean a hang-up. */
  run(connection: SpdyConnection): Promise<void>
}

/** Upstream's cacheTTL and maxInFlight. */
const VALID_MS = 60_000
const MOST_WAITING = 1_000

export class StreamingServer {
  readonly #clock: Clock
  readonly #log: Log
  readonly #waiting = new Map<string, { session: StreamingSession; until: number }>()
  readonly #connections = new Set<SpdyConnection>()
  #server: Server | undefined

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock
    this.#log = log
  }

  /** Begins to listen, on the machine itself only. */
  async open(): Promise<void> {
    const server = createServer((_, response) => {
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end('Upgrade request required\n')
    })
    server.on('upgrade', (request, socket, head) => this.#accept(request, socket, head))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    server.unref()
    this.#server = server
  }

  close(): void {
    this.#server?.close()
    for (const connection of this.#connections) connection.destroy()
  }

  /** The URL under which the session waits for its client. Throws CriError when too many wait already. */
  offer(session: StreamingSession): string {
    this.#forgetOld()
    if (this.#waiting.size >= MOST_WAITING) {
      throw new CriError(CRI_CODE.resourceExhausted, 'maximum number of in-flight requests exceeded')
    }
    const token = randomBytes(24).toString('base64url')
    this.#waiting.set(token, { session, until: this.#clock.now() + VALID_MS })
    const { port } = this.#server!.address() as AddressInfo
    return `http://127.0.0.1:${port}/${token}`
  }

  /** The oldest are first in a Map. */
  #forgetOld(): void {
    const now = this.#clock.now()
    for (const [token, { until }] of this.#waiting) {
      if (until > now) return
      this.#waiting.delete(token)
    }
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {})
    this.#forgetOld()
    const token = (request.url ?? '').slice(1)
    const session = this.#waiting.get(token)?.session
    const refusal = session && refusalOf(request, session.protocol)
    if (!session || refusal) {
      refuse(socket, ...(refusal ?? ['404 Not Found', '']))
      return
    }
    this.#waiting.delete(token)
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${session.protocol}\r\n\r\n`,
    )
    if (head.length > 0) socket.unshift(head)
    void this.#serve(socket, session)
  }

  async #serve(socket: Duplex, session: StreamingSession): Promise<void> {
    const connection = new SpdyConnection(socket, {
      role: 'server',
      onStream: stream => session.onStream(stream, connection),
    })
    this.#connections.add(connection)
    try {
      await session.run(connection)
      await connection.close()
    } catch (error) {
      if (!connection.signal.aborted) this.#log.warn({ err: error }, 'a streaming session failed')
      connection.destroy()
    } finally {
      this.#connections.delete(connection)
    }
  }
}

function refusalOf(
  { headers, headersDistinct }: IncomingMessage,
  spoken: string,
): [string, string] | undefined {
  if (!/^spdy\/3\.1/i.test(headers.upgrade ?? '')) return ['400 Bad Request', 'SPDY/3.1 is spoken here']
  const asked = (headersDistinct['x-stream-protocol-version'] ?? []).flatMap(one =>
    one.split(',').map(name => name.trim()),
  )
  if (asked.includes(spoken)) return undefined
  const words = `unable to negotiate protocol: client supports [${asked.join(' ')}], server accepts [${spoken}]`
  return ['403 Forbidden', words]
}

function refuse(socket: Duplex, status: string, words: string): void {
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(words)}\r\nConnection: close\r\n\r\n${words}`,
  )
}
