// The API over HTTPS: the same ApiHandler that the server offers in-process, with a codec in between.
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { KubeObject } from '../api/kube-object.ts'
import type { ApiHandler, ApiRequest, ApiResponse } from '../api/request.ts'
import { type HttpRequest, toHttp } from './http-request.ts'
import { parseWarnings, statusError, watchEvents } from './http-response.ts'

/** How to reach a server and who to be there. PEM texts. */
export interface HttpsOptions {
  /** 'https://127.0.0.1:6443', perhaps with a path. */
  server: string
  ca?: string
  cert?: string
  key?: string
  token?: string
  insecureSkipTlsVerify?: boolean
}

/** When TCP starts to ask whether a silent peer is still there. */
const KEEP_ALIVE_MS = 30_000

/**
 * Connections are kept and shared by all requests of one handler; idle ones do not keep the process alive.
 * Rejects with StatusError for what the server refuses, with Node's error when it cannot be reached, and with
 * the signal's reason when aborted.
 */
export function httpsHandler(options: HttpsOptions): ApiHandler {
  const { server, ca, cert, key, insecureSkipTlsVerify } = options
  const agent = new Agent({
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    rejectUnauthorized: !insecureSkipTlsVerify,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  })
  const base = new URL(server)
  return async request => {
    const http = toHttp(request)
    const response = await send(base, agent, http, headersOf(request, http, options), request.signal)
    return answer(request, response)
  }
}

function headersOf(
  request: ApiRequest,
  { body }: HttpRequest,
  { token }: HttpsOptions,
): Record<string, string> {
  return {
    accept: request.subresource === 'log' ? '*/*' : 'application/json',
    ...(request.userAgent && { 'user-agent': request.userAgent }),
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': body.contentType, 'content-length': String(Buffer.byteLength(body.text)) }),
  }
}

/**
 * A kept connection may have been closed by the server while the request was on its way. What can be done twice
 * without harm is sent once more then, as Go's client does.
 */
async function send(
  base: URL,
  agent: Agent,
  http: HttpRequest,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sendOnce(base, agent, http, headers, signal)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      const repeatable = http.method === 'GET' || http.method === 'PUT' || http.method === 'DELETE'
      if (!(error instanceof StaleConnection)) throw error
      if (!repeatable || attempt > 3) throw error.cause
    }
  }
}

class StaleConnection extends Error {}

function sendOnce(
  base: URL,
  agent: Agent,
  { method, path, body }: HttpRequest,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const prefix = base.pathname.replace(/\/$/, '')
    const { hostname, port } = base
    const target = {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port || 443,
      path: prefix + path,
      method,
      headers,
      agent,
    }
    const outgoing = httpsRequest({ ...target, ...(signal && { signal }) }, resolve)
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      reject(stale ? new StaleConnection(error.message, { cause: error }) : error)
    })
    outgoing.end(body?.text)
  })
}

async function answer(request: ApiRequest, response: IncomingMessage): Promise<ApiResponse> {
  const code = response.statusCode ?? 0
  if (code < 200 || code > 299) throw statusError(code, await textOf(response, request.signal))
  const warnings = parseWarnings(response.headersDistinct.warning ?? [])
  const noted = warnings.length > 0 && { warnings }
  if (request.verb === 'watch') {
    return { kind: 'watch', events: untilAborted(watchEvents(response), request.signal), ...noted }
  }
  const contentType = response.headers['content-type'] ?? ''
  if (!contentType.startsWith('application/json')) {
    return { kind: 'stream', contentType, body: untilAborted(response, request.signal) }
  }
  return {
    kind: 'object',
    code,
    object: JSON.parse(await textOf(response, request.signal)) as KubeObject,
    ...noted,
  }
}

async function textOf(response: IncomingMessage, signal: AbortSignal | undefined): Promise<string> {
  try {
    const pieces: Buffer[] = []
    for await (const piece of response) pieces.push(piece as Buffer)
    return Buffer.concat(pieces).toString('utf8')
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  }
}

/** A stream whose reader went away by its own signal has simply ended. */
async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}
