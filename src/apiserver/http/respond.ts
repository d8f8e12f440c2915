// Writes one whole answer: headers every answer carries, negotiated encoding, gzip for large bodies.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Status } from '../../api/status-error.ts'
import { encodeObject, type ProtobufCodec } from './encode.ts'
import { JSON_TYPE, negotiate, parseAccept } from './negotiate.ts'

const gzipAsync = promisify(gzip)
/** Upstream's defaultGzipThresholdBytes. */
const GZIP_FROM_BYTES = 128 * 1024

export interface Answer {
  code: number
  contentType: string
  body: Uint8Array
  headers?: Record<string, string>
}

/** Sends a body at once; a client that went away is not an error. */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): Promise<void> {
  const { code, contentType, headers } = answer
  let body = answer.body
  if (body.length >= GZIP_FROM_BYTES && acceptsGzip(request)) {
    body = await gzipAsync(body, { level: 1 })
    response.setHeader('Content-Encoding', 'gzip')
    response.setHeader('Vary', 'Accept-Encoding')
  }
  if (response.destroyed || response.headersSent) return
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
  response.writeHead(code, { 'Content-Type': contentType, 'Content-Length': body.length })
  response.end(request.method === 'HEAD' ? undefined : body)
}

export function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  code: number,
  text: string,
): Promise<void> {
  return send(request, response, {
    code,
    contentType: 'text/plain; charset=utf-8',
    body: Buffer.from(text),
    headers: { 'X-Content-Type-Options': 'nosniff' },
  })
}

/** A failure, in the type the client asked for; JSON when it asked for none that exists. */
export function sendStatus(
  request: IncomingMessage,
  response: ServerResponse,
  status: Status,
  codec: ProtobufCodec,
): Promise<void> {
  const type = statusType(request.headers.accept)
  const retryAfter = status.details?.retryAfterSeconds
  return send(request, response, {
    code: status.code,
    contentType: type,
    body: encodeObject(status, type, codec, wantsPretty(request)),
    ...(retryAfter && { headers: { 'Retry-After': String(retryAfter) } }),
  })
}

function statusType(accept: string | undefined): ReturnType<typeof negotiate>['mediaType'] {
  try {
    return negotiate(accept, 'status').mediaType
  } catch {
    return JSON_TYPE
  }
}

/** RFC 7234 warn-text as net/http's NewWarningHeader writes it. */
export function warningHeader(text: string): string {
  const oneLine = text.replace(/[\r\n]+/g, ' ')
  const printable = [...oneLine].filter(character => character >= ' ' && character !== '\x7f').join('')
  const latin = Buffer.from(printable, 'utf8').toString('latin1')
  return `299 - "${latin.replace(/["\\]/g, '\\$&')}"`
}

/** People's tools get indented JSON unless they say otherwise. Upstream: isPrettyPrint. */
export function wantsPretty(request: IncomingMessage): boolean {
  const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '')
  const asked = query.get('pretty')
  if (asked !== null) return /^(1|t|true)$/i.test(asked)
  return /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers['user-agent'] ?? '')
}

function acceptsGzip(request: IncomingMessage): boolean {
  const accepted = parseAccept(String(request.headers['accept-encoding'] ?? ''))
  return accepted.some(({ type, quality }) => type === 'gzip' && quality > 0)
}
