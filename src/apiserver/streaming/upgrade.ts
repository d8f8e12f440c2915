// The HTTP side of taking over a connection: which upgrade is asked for, and refusals in plain HTTP.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { UserInfo } from '../../api/request.ts'
import type { ResourceRequestInfo } from '../http/request-info.ts'

/** A request whose connection is to be taken over; who asks may do so. */
export interface UpgradeRequest {
  request: IncomingMessage
  socket: Duplex
  /** The first bytes of what follows the request. */
  head: Buffer
  info: ResourceRequestInfo
  query: URLSearchParams
  user: UserInfo
  /** Aborted when the connection or the server ends. */
  signal: AbortSignal
}

export type UpgradeKind = 'websocket' | 'spdy'

/** undefined: something else. */
export function upgradeKind({ headers }: IncomingMessage): UpgradeKind | undefined {
  const wanted = (headers.upgrade ?? '').toLowerCase()
  if (wanted === 'websocket') return 'websocket'
  return wanted.startsWith('spdy/3.1') ? 'spdy' : undefined
}

/** An answer other than 101, in words, as a kubelet gives it. */
export class PlainRefusal extends Error {
  readonly code: number
  readonly headers: readonly string[]

  constructor(code: number, text: string, headers: readonly string[] = []) {
    super(text)
    this.code = code
    this.headers = headers
  }
}

/** Writes a whole answer and ends the connection. */
export function answerPlainly(socket: Duplex, { code, message, headers }: PlainRefusal): void {
  const body = `${message}\n`
  const head = [
    `HTTP/1.1 ${code} ${code < 500 ? 'Refused' : 'Internal Server Error'}`,
    'Content-Type: text/plain; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...headers,
  ]
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Values of a header that may come several times, and several in one. */
export function headerValues(request: IncomingMessage, name: string): string[] {
  return (request.headersDistinct[name] ?? [])
    .flatMap(value => value.split(','))
    .map(value => value.trim())
    .filter(Boolean)
}
