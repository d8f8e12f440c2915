// One GET as probes and hooks send it: no certificate is checked, no connection is kept, little of the body is read.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { HTTPHeader } from '../../api/types/core-v1.ts'
import { goNetError, joinHostPort } from './go-net-error.ts'
import { OUTPUT_BYTES } from './probe-outcome.ts'

export interface HttpTarget {
  scheme: 'http' | 'https'
  host: string
  port: number
  /** With query, as written in the handler or in a Location. */
  path: string
}

export interface HttpAnswer {
  status: number
  location?: string
  /** At most 10 KiB. */
  body: string
}

/** As Go prints it in errors. */
export function urlText({ scheme, host, port, path }: HttpTarget): string {
  return `${scheme}://${joinHostPort(host, port)}${path}`
}

/** From a handler's fields. */
export function httpTarget(scheme: string, host: string, port: number, path = '/'): HttpTarget {
  const url = new URL(path.startsWith('/') ? path : `/${path}`, 'http://host')
  return {
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    host,
    port,
    path: url.pathname + url.search,
  }
}

/** Headers in the order given; a name may come more than once. An empty User-Agent or Accept is left out altogether. */
export function requestHeaders(
  given: readonly HTTPHeader[],
  userAgent: string,
  target: HttpTarget,
): string[] {
  const names = new Set(given.map(({ name }) => name.toLowerCase()))
  const list = given.filter(({ name, value }) => value !== '' || !/^(user-agent|accept)$/i.test(name))
  const headers = list.flatMap(({ name, value }) => [name, value])
  if (!names.has('host')) headers.unshift('Host', joinHostPort(target.host, target.port))
  if (!names.has('user-agent')) headers.push('User-Agent', userAgent)
  if (!names.has('accept')) headers.push('Accept', '*/*')
  headers.push('Connection', 'close')
  return headers
}

/** Throws the network's error in Go's words. */
export function httpGet(target: HttpTarget, headers: string[], signal: AbortSignal): Promise<HttpAnswer> {
  const { scheme, host, port, path } = target
  const send = scheme === 'https' ? httpsRequest : httpRequest
  const options = { host, port, path, headers, agent: false, rejectUnauthorized: false, signal }
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(signal.aborted ? signal.reason : new Error(goNetError(error, joinHostPort(host, port))))
    const request = send(options, answer => {
      void readAnswer(answer).then(resolve, fail)
    })
    request.once('error', fail)
    request.end()
  })
}

async function readAnswer(answer: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= OUTPUT_BYTES) break
  }
  const { location } = answer.headers
  return {
    status: answer.statusCode ?? 0,
    ...(location !== undefined && { location }),
    body: Buffer.concat(chunks).subarray(0, OUTPUT_BYTES).toString(),
  }
}
