// Requests for a connection of their own, as far as HTTP has to do with them: watches and logs over WebSocket, refusals,
// and the end of connections when the server closes. exec, attach and port-forward are streaming's.
import type { Duplex } from 'node:stream'
import type { ApiHandler } from '../../api/request.ts'
import { type Status, StatusError } from '../../api/status-error.ts'
import type { PassiveClock } from '../../base/clock.ts'
import type { ResourceIndex } from '../discovery/resource-index.ts'
import { type UpgradeRequest, upgradeKind } from '../streaming/upgrade.ts'
import { sendBytes, sendEvents } from '../streaming/websocket-answers.ts'
import { buildApiRequest, checkRoute } from './api-request.ts'
import type { ProtobufCodec, SharedEncoder } from './encode.ts'
import { JSON_TYPE, negotiate } from './negotiate.ts'
import { type TableLookup, transformer } from './transform.ts'

export interface UpgradeAnswerOptions {
  handle: ApiHandler
  resources: ResourceIndex
  tables: TableLookup
  codec: ProtobufCodec
  encoder: SharedEncoder
  clock: PassiveClock
  /** Called when a watch has begun. */
  begun: () => void
}

/** Watches and logs; everything else is plain HTTP's. */
export async function answerOverWebSocket(
  upgrade: UpgradeRequest,
  options: UpgradeAnswerOptions,
): Promise<void> {
  const { request, info, query, user, signal } = upgrade
  const { resources, codec, handle, encoder } = options
  const goesOn = info.verb === 'watch' || (info.verb === 'get' && info.subresource === 'log')
  if (!goesOn || upgradeKind(request) !== 'websocket') throw notImplemented()
  const resource = checkRoute(info, resources.find(info.group, info.version, info.resource))
  const representation = negotiate(request.headers.accept, 'watch', { protobuf: false })
  const convert = transformer({ ...options, representation, resource, query })
  const answer = await handle(await buildApiRequest({ request, info, query, user, resource, codec, signal }))
  if (answer.kind === 'stream') return sendBytes(upgrade, answer.body)
  if (answer.kind !== 'watch') throw notImplemented()
  options.begun()
  const { events } = answer
  async function* texts() {
    for await (const { type, object } of events)
      yield encoder.frame(type, convert(object), JSON_TYPE).toString().trimEnd()
  }
  return sendEvents(upgrade, texts())
}

/**
 * Connections taken over are unknown to the HTTP server: it does not end them when it closes. The signal aborts when
 * the socket closes, for whatever reason.
 */
export function hangUpWhenClosing(socket: Duplex, closing: AbortSignal): AbortSignal {
  const over = new AbortController()
  const hangUp = () => socket.destroy()
  closing.addEventListener('abort', hangUp, { once: true })
  socket.once('close', () => {
    closing.removeEventListener('abort', hangUp)
    over.abort(new Error('the connection was closed'))
  })
  return over.signal
}

/** Answers as plain HTTP would, and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: Status): void {
  const body = `${JSON.stringify(status)}\n`
  const head = [
    `HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...(status.details?.retryAfterSeconds ? [`Retry-After: ${status.details.retryAfterSeconds}`] : []),
  ]
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function notImplemented(): StatusError {
  return new StatusError({
    code: 501,
    reason: 'NotImplemented',
    message: 'the server does not serve upgrade requests of this subresource',
    details: {},
  })
}
