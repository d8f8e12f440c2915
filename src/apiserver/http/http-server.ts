// The HTTPS front of the API server: sockets, TLS, request lifetimes. What a request means is decided in
// request-handler.ts.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { mutualTls, type TlsIdentity } from '../../base/mutual-tls.ts'
import { upgradeKind } from '../streaming/upgrade.ts'
import { RequestHandler, type RequestHandlerOptions } from './request-handler.ts'

export interface HttpServerOptions extends Omit<RequestHandlerOptions, 'closing'> {
  tls: TlsIdentity
}

export interface HttpServer {
  /** Answers the address listened on; port 0 picks a free one. */
  listen(port: number, host: string): Promise<AddressInfo>
  /** New connections are refused, watches and streams end, requests in flight finish (at most `graceMs`). */
  close(graceMs?: number): Promise<void>
}

const DEFAULT_GRACE_MS = 10_000
/** Longer than the pauses of Go's and Node's clients between requests on a kept connection. */
const KEEP_ALIVE_MS = 180_000

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const closing = new AbortController()
  const handler = new RequestHandler({ ...options, closing: closing.signal })
  const server = createServer(
    {
      ...mutualTls(options.tls),
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Requests have limits of their own; watches must not have this one.
      requestTimeout: 0,
      noDelay: true,
      shouldUpgradeCallback: isTakenOver,
    },
    (request: IncomingMessage, response: ServerResponse) => void handler.handle(request, response),
  )
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void handler.upgrade(request, socket, head)
  })
  server.on('clientError', (_error: Error, socket: Duplex) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  return {
    listen: (port, host) => listen(server, port, host),
    close: (graceMs = DEFAULT_GRACE_MS) =>
      close(server, closing, options.clock.sleep(graceMs, closed(server))),
  }
}

/** Offers of other protocols, such as h2c, are passed over and the request answered; proxied ones are the backend's. */
function isTakenOver(request: IncomingMessage): boolean {
  return upgradeKind(request) !== undefined || /^\/api\/v1\/[^?]*\/proxy(\/|\?|$)/.test(request.url ?? '')
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

/** Aborts once the server has no connection left, so that the grace period's timer does not linger. */
function closed(server: Server): AbortSignal {
  const over = new AbortController()
  server.once('close', () => over.abort())
  return over.signal
}

async function close(server: Server, closing: AbortController, grace: Promise<void>): Promise<void> {
  const done = new Promise<void>(resolve => {
    server.close(() => resolve())
  })
  closing.abort()
  server.closeIdleConnections()
  const overdue = grace.then(() => server.closeAllConnections()).catch(() => {})
  await Promise.race([done, overdue])
  server.closeAllConnections()
  await done
}
