// Taking over a connection as SPDY/3.1, with a stream protocol chosen first. Upstream: httpstream.Handshake.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { headerValues, PlainRefusal } from './upgrade.ts'

/** The client's first choice that is spoken here. Throws PlainRefusal. */
export function chooseStreamProtocol(request: IncomingMessage, spoken: readonly string[]): string {
  const asked = headerValues(request, 'x-stream-protocol-version')
  if (asked.length === 0)
    throw new PlainRefusal(400, 'unable to upgrade: X-Stream-Protocol-Version is required')
  const chosen = asked.find(protocol => spoken.includes(protocol))
  if (chosen) return chosen
  throw new PlainRefusal(
    403,
    `unable to upgrade: unable to negotiate protocol: client supports [${asked.join(' ')}], server accepts [${spoken.join(' ')}]`,
    spoken.map(protocol => `X-Accepted-Stream-Protocol-Versions: ${protocol}`),
  )
}

/** Answers 101; the socket speaks SPDY from then on. */
export function acceptSpdy(socket: Duplex, head: Buffer, protocol: string): Duplex {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: SPDY/3.1',
    `X-Stream-Protocol-Version: ${protocol}`,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (head.length > 0) socket.unshift(head)
  return socket
}
