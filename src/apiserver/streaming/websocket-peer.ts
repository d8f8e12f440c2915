// exec and attach over WebSocket: every message begins with its channel. Upstream: wsstream and the remotecommand
// package of kubelet and apiserver (v4.channel.k8s.io, v5.channel.k8s.io and older).
import { Readable, Writable } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { AttachOptions, RemoteStatus, RemoteStreams } from '../../api/node-access.ts'
import { type RemoteCommandPeer, statusText, TerminalSizes } from './remote-command-peer.ts'
import { sendMessage } from './websocket.ts'

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const
/** v5: the channel named in the second byte is closed. */
const CLOSE = 255

export const V5 = 'v5.channel.k8s.io'
export const remoteCommandSubprotocols = [
  '',
  'channel.k8s.io',
  'base64.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  V5,
]

export class WebSocketPeer implements RemoteCommandPeer {
  readonly streams: RemoteStreams
  readonly #webSocket: WebSocket
  readonly #subprotocol: string
  readonly #gone = new AbortController()
  readonly #sizes = new TerminalSizes()
  readonly #stdin: Readable | undefined

  constructor(webSocket: WebSocket, subprotocol: string, options: AttachOptions) {
    this.#webSocket = webSocket
    this.#subprotocol = subprotocol
    const { stdin, stdout, stderr, tty } = options
    if (stdin) this.#stdin = new Readable({ read: () => webSocket.resume() })
    this.streams = {
      ...(this.#stdin && { stdin: this.#stdin }),
      ...(stdout && { stdout: this.#output(CHANNEL.stdout) }),
      ...(stderr && { stderr: this.#output(CHANNEL.stderr) }),
      ...(tty && { resizes: this.#sizes.queue }),
    }
    webSocket.on('message', data => this.#receive(data))
    webSocket.once('close', () => {
      this.#gone.abort(new Error('the client closed the connection'))
      this.#stdin?.destroy()
      this.#sizes.queue.close()
    })
    // The client learns that the channels are open.
    const first = stdout ? CHANNEL.stdout : stderr ? CHANNEL.stderr : CHANNEL.error
    void this.#send(first, Buffer.alloc(0))
  }

  get signal(): AbortSignal {
    return this.#gone.signal
  }

  async finish(status: RemoteStatus): Promise<void> {
    const text = this.#subprotocol.startsWith('v') ? JSON.stringify(status) : statusText(status)
    if (text !== '') await this.#send(CHANNEL.error, Buffer.from(text))
    // A client that still sends must be read, or its answer to the close is never seen.
    this.#stdin?.destroy()
    this.#webSocket.resume()
    this.#webSocket.close(1000)
  }

  #output(channel: number): Writable {
    return new Writable({
      highWaterMark: 64 * 1024,
      write: (chunk: Buffer, _encoding, done) => {
        this.#send(channel, chunk).then(() => done(), done)
      },
    })
  }

  #send(channel: number, chunk: Buffer): Promise<void> {
    const message = this.#subprotocol.includes('base64.')
      ? `${channel}${chunk.toString('base64')}`
      : Buffer.concat([Buffer.from([channel]), chunk])
    return sendMessage(this.#webSocket, message)
  }

  #receive(data: RawData): void {
    const message = decode(asBuffer(data), this.#subprotocol.includes('base64.'))
    if (message.length === 0) return
    const [channel, rest] = [message[0], message.subarray(1)]
    if (channel === CHANNEL.stdin) this.#receiveInput(rest)
    else if (channel === CHANNEL.resize) this.#sizes.push(rest)
    else if (channel === CLOSE && this.#subprotocol === V5 && rest[0] === CHANNEL.stdin)
      this.#stdin?.push(null)
  }

  /** Empty messages mean nothing. */
  #receiveInput(chunk: Buffer): void {
    const stdin = this.#stdin
    if (!stdin || stdin.destroyed || stdin.readableEnded || chunk.length === 0) return
    if (!stdin.push(chunk)) this.#webSocket.pause()
  }
}

export function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

/** The channel as a byte, then the bytes. Whether a message is text or binary says nothing. */
function decode(message: Buffer, isBase64: boolean): Buffer {
  if (!isBase64 || message.length === 0) return message
  const bytes = Buffer.from(message.toString('latin1', 1), 'base64')
  return Buffer.concat([Buffer.from([(message[0]! - 0x30) & 0xff]), bytes])
}
