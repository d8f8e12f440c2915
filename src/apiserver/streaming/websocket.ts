// Taking over a connection as a WebSocket, with a subprotocol chosen first.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { headerValues, PlainRefusal } from './upgrade.ts'

/** The largest message taken; clients send stdin in pieces of 32 KiB. */
const MOST_MESSAGE_BYTES = 32 * 1024 * 1024

/**
 * The client's first choice that is spoken here; '' when it names none and none is fine.
 * Throws PlainRefusal. Upstream: wsstream's handshake.
 */
export function chooseSubprotocol(request: IncomingMessage, spoken: readonly string[]): string {
  const asked = headerValues(request, 'sec-websocket-protocol')
  const chosen = asked.length === 0 ? '' : asked.find(protocol => spoken.includes(protocol))
  if (chosen !== undefined && spoken.includes(chosen)) return chosen
  throw new PlainRefusal(
    403,
    `requested protocol(s) are not supported: [${asked.join(' ')}]; supports [${spoken.join(' ')}]`,
  )
}

/** Answers 101. A request that is no proper WebSocket handshake is answered with 400, and undefined. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  subprotocol: string,
): WebSocket | undefined {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: MOST_MESSAGE_BYTES,
  })
  // Said by us: a name such as "SPDY/3.1+portforward.k8s.io" is none that the library takes.
  delete request.headers['sec-websocket-protocol']
  if (subprotocol) server.on('headers', headers => headers.push(`Sec-WebSocket-Protocol: ${subprotocol}`))
  let accepted: WebSocket | undefined
  server.handleUpgrade(request, socket, head, webSocket => {
    accepted = webSocket
  })
  // A client that breaks the protocol is cut off by the library; there is nothing more to do about it.
  accepted?.on('error', () => accepted?.terminate())
  return accepted
}

/** Resolves once the message is handed to the kernel or the connection is gone. */
export function sendMessage(webSocket: WebSocket, message: Buffer | string): Promise<void> {
  return new Promise(resolve => {
    webSocket.send(message, () => resolve())
  })
}
