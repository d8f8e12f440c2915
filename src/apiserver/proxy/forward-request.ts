// One proxied request: headers and body to the backend, its answer back. Upstream: apimachinery's UpgradeAwareHandler
// and Transport over Go's ReverseProxy.
import {
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createInflate } from 'node:zlib'
import { serviceUnavailable } from '../../api/status-error.ts'
import type { ProxyLocation } from './proxy-location.ts'
import { type LinkContext, rewriteHtml, rewriteLink } from './rewrite-links.ts'

export type AddressLocation = ProxyLocation & { to: 'address' }

export interface ForwardedRequest {
  request: IncomingMessage
  location: AddressLocation
  /** What stands before the backend's path: /api/v1/…/proxy. */
  prefix: string
  /** The backend's path with its query, as the client encoded it. */
  target: string
  signal: AbortSignal
}

/** Of one connection only, or meant for this server. */
const NOT_PASSED_ON = new Set([
  'authorization',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Answers 503 (StatusError) when the backend cannot be reached. */
export async function forwardRequest(forwarded: ForwardedRequest, response: ServerResponse): Promise<void> {
  const { request } = forwarded
  const answer = await exchange(forwarded)
  const context = contextOf(forwarded)
  const headers = passedOn(answer.headers)
  if (answer.headers.location) headers.location = rewriteLink(answer.headers.location, context)
  const isHtml = /^\s*text\/html\s*(;|$)/i.test(answer.headers['content-type'] ?? '')
  const decoding = DECODERS[answer.headers['content-encoding'] ?? '']
  const isRewritten = isHtml && decoding !== undefined && request.method !== 'HEAD'
  if (isRewritten) {
    delete headers['content-length']
    delete headers['content-encoding']
  }
  for (const name of response.getHeaderNames()) if (name !== 'audit-id') response.removeHeader(name)
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers)
  response.flushHeaders()
  if (isRewritten) {
    const decoder = decoding()
    const source = decoder ? answer.pipe(decoder) : answer
    await pipeline(source, html => rewriteHtml(html as AsyncIterable<Uint8Array>, context), response)
  } else await pipeline(answer, response)
}

/** How a body is unpacked before its links are looked at; what is not here is passed on as it is. */
const DECODERS: Readonly<Record<string, () => ReturnType<typeof createGunzip> | undefined>> = {
  '': () => undefined,
  gzip: createGunzip,
  deflate: createInflate,
}

function exchange({ request, location, target, prefix, signal }: ForwardedRequest): Promise<IncomingMessage> {
  const { scheme, host, port } = location
  const send = scheme === 'https' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const onward = send({
      host,
      port,
      path: target,
      method: request.method ?? 'GET',
      headers: headersFor(request, prefix, target),
      signal,
      agent: false,
      // As upstream: backends have certificates of their own.
      ...(scheme === 'https' && { rejectUnauthorized: false }),
    })
    onward.once('response', resolve)
    onward.once('error', error => reject(unreachable(error, location)))
    if (hasBody(request)) pipeline(request, onward).catch(() => {})
    else onward.end()
  })
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

export function headersFor(request: IncomingMessage, prefix: string, target: string): OutgoingHttpHeaders {
  const { remoteAddress = '' } = request.socket
  const before = request.headers['x-forwarded-for']
  const address = remoteAddress.replace(/^::ffff:/, '')
  return {
    ...passedOn(request.headers),
    ...(hasBody(request) && request.headers['transfer-encoding'] && { 'transfer-encoding': 'chunked' }),
    'x-forwarded-for': before ? `${before}, ${address}` : address,
    'x-forwarded-uri': `${prefix}${target.split('?')[0]}`,
    'x-forwarded-host': request.headers.host,
    'x-forwarded-proto': 'https',
  }
}

export function passedOn(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? '').split(',').map(name => name.trim().toLowerCase()))
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.has(name) && !named.has(name)),
  )
}

function contextOf({ request, location, prefix }: ForwardedRequest): LinkContext {
  const host = request.headers.host ?? ''
  return { prefix, scheme: 'https', host, backendHost: `${location.host}:${location.port}` }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
}

/** In the words of Go's dialler. */
export function unreachable(error: NodeJS.ErrnoException, { host, port }: AddressLocation): Error {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const words = WORDS[error.code ?? '']
  const reason = error.code === 'ECONNRESET' ? 'EOF' : words ? `dial tcp ${address}: ${words}` : error.message
  return serviceUnavailable(`error trying to reach service: ${reason}`)
}
