// A proxied request that asks for another protocol: once the backend has agreed, bytes go both ways untouched.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Duplex, finished } from 'node:stream'
import { type AddressLocation, headersFor, unreachable } from './forward-request.ts'

export interface ForwardedUpgrade {
  request: IncomingMessage
  socket: Duplex
  head: Buffer
  location: AddressLocation
  prefix: string
  target: string
  signal: AbortSignal
}

/** Until both sides have ended. Throws StatusError (503) when the backend cannot be reached. */
export async function forwardUpgrade(forwarded: ForwardedUpgrade): Promise<void> {
  const { request, socket, head, location, prefix, target, signal } = forwarded
  const { scheme, host, port } = location
  const send = scheme === 'https' ? httpsRequest : httpRequest
  const { upgrade } = request.headers
  const onward = send({
    host,
    port,
    path: target,
    method: request.method ?? 'GET',
    headers: { ...headersFor(request, prefix, target), connection: 'Upgrade', upgrade },
    signal,
    agent: false,
    ...(scheme === 'https' && { rejectUnauthorized: false }),
  })
  const agreed = new Promise<void>((resolve, reject) => {
    onward.once('error', error => reject(unreachable(error, location)))
    onward.once('response', answer => {
      socket.write(headOf(answer))
      answer.pipe(socket)
      resolve(ended(answer, socket))
    })
    onward.once('upgrade', (answer: IncomingMessage, backend: Duplex, first: Buffer) => {
      socket.write(headOf(answer))
      if (first.length > 0) socket.write(first)
      if (head.length > 0) backend.write(head)
      backend.on('error', () => socket.destroy())
      backend.pipe(socket).pipe(backend)
      socket.once('close', () => backend.destroy())
      resolve(ended(backend, socket))
    })
  })
  onward.end()
  await agreed
}

/** As it came, but for the framing of a body, which Node has taken apart. */
function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`]
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name, value] = [rawHeaders[at]!, rawHeaders[at + 1]!]
    const isFraming = statusCode !== 101 && /^(transfer-encoding|connection)$/i.test(name)
    if (!isFraming) lines.push(`${name}: ${value}`)
  }
  if (statusCode !== 101) lines.push('Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n`
}

async function ended(backend: Duplex | IncomingMessage, socket: Duplex): Promise<void> {
  await Promise.all(
    [backend, socket].map(stream => new Promise<void>(resolve => finished(stream, () => resolve()))),
  )
}
