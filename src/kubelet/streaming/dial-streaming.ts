// Opens the URL that a runtime answers to Exec, Attach and PortForward, or that a kubelet elsewhere has for them, as
// SPDY/3.1: what containerd, CRI-O, our own runtime and kubelets all serve. Upstream: client-go's SPDY round tripper.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { SpdyConnection } from '../../base/spdy/spdy-connection.ts'

/** Who calls, where the other side asks for it. PEM. */
export interface ClientPair {
  certificate: string
  privateKey: string
}

/** Throws with the other side's words when it refuses. */
export async function dialStreaming(
  url: string,
  protocol: string,
  signal: AbortSignal,
  pair?: ClientPair,
): Promise<SpdyConnection> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest
  const request = send(url, {
    method: 'POST',
    agent: false,
    signal,
    // A runtime's certificate is its own, and the URL came over its socket and holds a secret; so is a kubelet's,
    // which upstream's API server does not check either unless it is given an authority for it.
    ...(url.startsWith('https:') && { rejectUnauthorized: false }),
    ...(pair && { cert: pair.certificate, key: pair.privateKey }),
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
