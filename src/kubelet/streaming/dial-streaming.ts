// Opens the URL that a runtime answers to Exec, Attach and PortForward, as SPDY/3.1: the protocol that containerd,
// CRI-O and our own runtime all serve there. Upstream: client-go's SPDY round tripper.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { SpdyConnection } from '../../base/spdy/spdy-connection.ts'

/** Throws with the runtime's words when it refuses. */
export async function dialStreaming(
  url: string,
  protocol: string,
  signal: AbortSignal,
): Promise<SpdyConnection> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest
  const request = send(url, {
    method: 'POST',
    agent: false,
    signal,
    // The runtime's certificate is its own; the URL came over its socket and holds a secret.
    ...(url.startsWith('https:') && { rejectUnauthorized: false }),
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      'X-Stream-Protocol-Version': protocol,
      'Content-Length': 0,
    },
  })
  const socket = await new Promise<Socket>((resolve, reject) => {
    request.once('upgrade', (_answer: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    request.once('response', answer => {
      wordsOf(answer).then(words => reject(new Error(`unable to upgrade connection: ${words}`)), reject)
    })
    request.once('error', reject)
    request.end()
  })
  socket.setNoDelay(true)
  // Upstream's servers reset their streams when all is said.
  return new SpdyConnection(socket, { role: 'client', resetEnds: true })
}

async function wordsOf(answer: IncomingMessage): Promise<string> {
  answer.setEncoding('utf8')
  let text = ''
  for await (const piece of answer) text += piece
  return text.trim() || `the runtime answered ${answer.statusCode}`
}
