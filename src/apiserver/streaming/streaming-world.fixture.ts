// A server with nothing but upgrades, one pod behind it, and commands that tests write: for both protocols.
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { type RawData, WebSocket } from 'ws'
import type {
  AttachOptions,
  ExecOptions,
  NodeAccess,
  PortForwarder,
  RemoteSession,
} from '../../api/node-access.ts'
import type { ApiResponse } from '../../api/request.ts'
import { notFound, StatusError } from '../../api/status-error.ts'
import { SystemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { SpdyConnection } from '../../base/spdy/spdy-connection.ts'
import type { Attributes } from '../authz/authorizer.ts'
import { parseRequestInfo, type ResourceRequestInfo } from '../http/request-info.ts'
import { streamingHandlers } from './upgrade-handlers.ts'

const user = { name: 'tester', groups: [] }

export class StreamingWorld {
  /** What exec and attach do. */
  session: RemoteSession = async () => ({ metadata: {}, status: 'Success' })
  forward: PortForwarder = async (_, stream) => void stream.end()
  /** Thrown by the node when set. */
  refusal: StatusError | undefined
  readonly asked: (ExecOptions | AttachOptions)[] = []
  /** What was asked of the authorizer beyond the request itself. */
  readonly authorized: Attributes[] = []
  readonly #server = createServer()
  readonly #closing = new AbortController()

  static async open(): Promise<StreamingWorld> {
    const world = new StreamingWorld()
    world.#server.listen(0, '127.0.0.1')
    await once(world.#server, 'listening')
    world.#server.on('upgrade', (request, socket, head) => void world.#upgrade(request, socket, head))
    return world
  }

  close(): void {
    this.#closing.abort(new Error('the server closes'))
    this.#server.closeAllConnections()
    this.#server.close()
  }

  get #address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  webSocket(what: string, protocols: string[] = []): WebSocket {
    return new WebSocket(`ws://${this.#address}/api/v1/namespaces/default/pods/${what}`, protocols)
  }

  /** With a subprotocol whose name the library's client does not take: it never learns of it. */
  tunnel(what: string, protocol: string): WebSocket {
    const url = `ws://${this.#address}/api/v1/namespaces/default/pods/${what}`
    const headers = { 'Sec-WebSocket-Protocol': protocol }
    const { port } = this.#server.address() as AddressInfo
    return new WebSocket(url, { headers, createConnection: () => withoutHeader(port, protocol) as never })
  }

  /** Answers the connection, or the refusal. */
  async spdy(
    what: string,
    protocols: string[],
  ): Promise<SpdyConnection | { code: number; text: string; headers: IncomingMessage['headersDistinct'] }> {
    const request = httpRequest(`http://${this.#address}/api/v1/namespaces/default/pods/${what}`, {
      method: 'POST',
      headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocols },
    })
    request.end()
    const answered = once(request, 'response') as Promise<[IncomingMessage]>
    const upgraded = once(request, 'upgrade') as Promise<[IncomingMessage, Duplex, Buffer]>
    const [answer, socket, head] = await Promise.race([answered, upgraded])
    if (socket) {
      if (head?.length) socket.unshift(head)
      return new SpdyConnection(socket, { role: 'client' })
    }
    let text = ''
    for await (const piece of answer) text += String(piece)
    return { code: answer.statusCode ?? 0, text, headers: answer.headersDistinct }
  }

  /** As the API server's request handler does it, but that everybody may do everything. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const info = parseRequestInfo(request.method ?? '', url.pathname, url.searchParams) as ResourceRequestInfo
    const handlers = streamingHandlers({
      handle: async ({ name = '' }) => podNamed(name),
      authorizer: {
        authorize: async attributes => {
          this.authorized.push(attributes)
          return { decision: 'allow', reason: '' }
        },
      } as Parameters<typeof streamingHandlers>[0]['authorizer'],
      nodeAccess: this.#node,
      clock: new SystemClock(),
      log: silentLog,
    })
    const kind = { exec: 'exec', attach: 'attach', portforward: 'portForward' }[
      info.subresource ?? ''
    ] as 'exec'
    const signal = this.#closing.signal
    try {
      await handlers[kind]({ request, socket, head, info, query: url.searchParams, user, signal })
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      const { code, message } = error.status
      socket.end(
        `HTTP/1.1 ${code} Refused\r\nConnection: close\r\nContent-Length: ${message.length}\r\n\r\n${message}`,
      )
    }
  }

  get #node(): NodeAccess {
    const open = async (options: AttachOptions): Promise<RemoteSession> => {
      this.asked.push(options)
      if (this.refusal) throw this.refusal
      return (streams, signal) => this.session(streams, signal)
    }
    const streaming: Pick<NodeAccess, 'exec' | 'attach' | 'portForward'> = {
      exec: (_, __, options) => open(options),
      attach: (_, __, options) => open(options),
      portForward: async () => (port, stream, signal) => this.forward(port, stream, signal),
    }
    return streaming as NodeAccess
  }
}

function podNamed(name: string): ApiResponse {
  if (name === 'nobody') throw notFound({ group: '', resource: 'pods' }, name)
  const containers = name === 'pair' ? [{ name: 'one' }, { name: 'two' }] : [{ name: 'only' }]
  const spec = { containers, ...(name !== 'waiting' && { nodeName: 'node-1' }) }
  const object = { kind: 'Pod', apiVersion: 'v1', metadata: { name, namespace: 'default', uid: 'u1' }, spec }
  return { kind: 'object', code: 200, object } as unknown as ApiResponse
}

/** What a WebSocket was told: bytes by channel, and how it was closed. */
export class Channels {
  readonly #texts = new Map<number, Buffer[]>()
  readonly closed: Promise<number>
  readonly messages: Buffer[] = []

  constructor(webSocket: WebSocket, isBase64 = false) {
    webSocket.on('message', (data: RawData) => {
      const message = data as Buffer
      this.messages.push(message)
      const channel = isBase64 ? message[0]! - 0x30 : message[0]!
      const bytes = isBase64 ? Buffer.from(message.toString('latin1', 1), 'base64') : message.subarray(1)
      this.#texts.set(channel, [...(this.#texts.get(channel) ?? []), bytes])
    })
    this.closed = once(webSocket, 'close').then(([code]) => code as number)
  }

  text(channel: number): string {
    return Buffer.concat(this.#texts.get(channel) ?? []).toString()
  }
}

/** A connection on which the first answer lacks its Sec-WebSocket-Protocol, which it must have had. */
function withoutHeader(port: number, protocol: string): Duplex {
  const socket = connect(port, '127.0.0.1')
  const readable = new PassThrough()
  socket.once('data', (head: Buffer) => {
    const line = `Sec-WebSocket-Protocol: ${protocol}\r\n`
    const text = head.toString('latin1')
    if (!text.includes(line)) socket.destroy(new Error(`no such protocol was answered: ${text}`))
    readable.write(Buffer.from(text.replace(line, ''), 'latin1'))
    socket.pipe(readable)
  })
  return Duplex.from({ readable, writable: socket })
}
