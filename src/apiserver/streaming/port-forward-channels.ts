// Port forwarding as channels of a WebSocket: per port of the query a data and an error channel, both opened with the
// port's number. One connection per port, made at once. Upstream: the kubelet's portforward/websocket.go.
import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { ForwardSession } from './port-forward-session.ts'
import { PlainRefusal } from './upgrade.ts'
import { sendMessage } from './websocket.ts'
import { asBuffer } from './websocket-peer.ts'

/** Throws PlainRefusal for what is no list of ports. */
export function parsePorts(query: URLSearchParams): number[] {
  const texts = query.getAll('ports').flatMap(value => value.split(','))
  if (texts.length === 0) throw new PlainRefusal(400, 'query parameter "port" is required')
  return texts.map(text => {
    if (!/^\d+$/.test(text) || Number(text) > 65_535)
      throw new PlainRefusal(400, `unable to parse ${JSON.stringify(text)} as a port: invalid syntax`)
    if (Number(text) === 0) throw new PlainRefusal(400, `port ${JSON.stringify(text)} must be > 0`)
    return Number(text)
  })
}

/** Until every port's connection is over or the client closes. */
export async function forwardChannels(
  webSocket: WebSocket,
  isBase64: boolean,
  ports: readonly number[],
  session: ForwardSession,
): Promise<void> {
  const over = new AbortController()
  const hangUp = () => webSocket.terminate()
  session.signal.addEventListener('abort', hangUp, { once: true })
  const send = (channel: number, chunk: Buffer) => {
    const head = isBase64 ? String(channel) : Buffer.from([channel])
    return sendMessage(
      webSocket,
      isBase64 ? `${head}${chunk.toString('base64')}` : Buffer.concat([head as Buffer, chunk]),
    )
  }
  const channels = ports.map((_, index) => new Channel(2 * index, webSocket, send))
  webSocket.on('message', data => {
    const message = asBuffer(data)
    const number = message.length === 0 ? -1 : isBase64 ? message[0]! - 0x30 : message[0]!
    const bytes = isBase64
      ? Buffer.from(message.toString('latin1', 1), 'base64')
      : Buffer.from(message.subarray(1))
    if (number % 2 === 0) channels[number / 2]?.receive(bytes)
  })
  webSocket.once('close', () => {
    over.abort(new Error('the client closed the connection'))
    for (const channel of channels) channel.destroy()
  })
  await Promise.all(
    ports.map((port, index) => forwardOne(port, channels[index]!, send, session, over.signal)),
  )
  session.signal.removeEventListener('abort', hangUp)
  webSocket.close(1000)
}

/** Never rejects: what goes wrong is said on the error channel. */
async function forwardOne(
  port: number,
  channel: Channel,
  send: (channel: number, chunk: Buffer) => Promise<void>,
  { pod, forward }: ForwardSession,
  signal: AbortSignal,
): Promise<void> {
  const number = Buffer.alloc(2)
  number.writeUInt16LE(port)
  await send(channel.number, number)
  await send(channel.number + 1, number)
  try {
    await forward(port, channel, signal)
  } catch (cause) {
    const words = `error forwarding port ${port} to pod ${pod.name}, uid ${pod.uid}: ${(cause as Error).message}`
    await send(channel.number + 1, Buffer.from(words))
  }
}

/** The data channel of one port. The protocol cannot tell an end: it comes with the connection's. */
class Channel extends Duplex {
  readonly number: number
  readonly #webSocket: WebSocket
  readonly #send: (channel: number, chunk: Buffer) => Promise<void>

  constructor(number: number, webSocket: WebSocket, send: (channel: number, chunk: Buffer) => Promise<void>) {
    super({ readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024 })
    this.number = number
    this.#webSocket = webSocket
    this.#send = send
  }

  receive(chunk: Buffer): void {
    if (chunk.length > 0 && !this.destroyed && !this.push(chunk)) this.#webSocket.pause()
  }

  override _read(): void {
    this.#webSocket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send(this.number, chunk).then(() => done(), done)
  }
}
