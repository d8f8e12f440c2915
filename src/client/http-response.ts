// What an HTTP answer means: failures as StatusError, watch lines as events, warning headers as texts.
// No node: imports, so that a browser's fetch can share it.
import type { KubeObject, WatchEvent } from '../api/kube-object.ts'
import { type Status, StatusError } from '../api/status-error.ts'

/** Reasons as apimachinery's NewGenericServerResponse gives them to answers that carry no Status. */
const REASONS: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** The failure that an answer with this code and body tells of. */
export function statusError(code: number, body: string): StatusError {
  const status = parseStatus(body)
  if (status) return fromStatus({ ...status, code: status.code || code })
  const text = body.trim()
  return new StatusError({
    code,
    reason: REASONS[code] ?? 'Unknown',
    message: text || `the server responded with the status code ${code}`,
  })
}

function parseStatus(body: string): Status | undefined {
  try {
    const parsed = JSON.parse(body) as Partial<Status> | null
    return parsed?.kind === 'Status' ? (parsed as Status) : undefined
  } catch {
    return undefined
  }
}

function fromStatus({ code, reason, message, details }: Status): StatusError {
  return new StatusError({
    code,
    message: message ?? '',
    ...(reason !== undefined && { reason }),
    ...(details && { details }),
  })
}

/** Texts of Warning headers ('299 - "text"'), which may hold several each. */
export function parseWarnings(headers: readonly string[]): string[] {
  const warnings: string[] = []
  for (const header of headers) {
    for (const [, quoted = ''] of header.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      warnings.push(quoted.replace(/\\(.)/g, '$1'))
    }
  }
  return warnings
}

/** A watch's frames, one JSON document per line. An ERROR frame ends it with a StatusError. */
export async function* watchEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent<KubeObject>> {
  for await (const line of lines(body)) {
    const event = JSON.parse(line) as { type: string; object: unknown }
    if (event.type === 'ERROR') throw fromStatus(event.object as Status)
    yield event as WatchEvent<KubeObject>
  }
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const unfinished: string[] = []
  for await (const piece of body) {
    const [first = '', ...rest] = decoder.decode(piece, { stream: true }).split('\n')
    unfinished.push(first)
    for (const next of rest) {
      const line = unfinished.join('')
      unfinished.length = 0
      unfinished.push(next)
      if (line) yield line
    }
  }
  const last = unfinished.join('')
  if (last.trim()) yield last
}
