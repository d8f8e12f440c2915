// exec and attach over SPDY/3.1: the client opens a stream per standard stream, each named by a header.
// Upstream: createHTTPStreamStreams of the remotecommand package (channel.k8s.io to v4.channel.k8s.io).
import type { Duplex, Writable } from 'node:stream'
import type { AttachOptions, RemoteStatus, RemoteStreams } from '../../api/node-access.ts'
import type { Clock } from '../../base/clock.ts'
import { StreamCollector } from '../../base/spdy/collect-streams.ts'
import { SpdyConnection } from '../../base/spdy/spdy-connection.ts'
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts'
import { expectedStreams, type RemoteCommandPeer, statusText, TerminalSizes } from './remote-command-peer.ts'

const V4 = 'v4.channel.k8s.io'
/** As upstream's StreamProtocolV1Name to V4. */
export const remoteCommandProtocols = [V4, 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io']
/** Upstream's streamCreationTimeout. */
const STREAMS_WITHIN_MS = 30_000

/** Resolves when the client has opened every stream that it asked for; throws when it does not. */
export async function openSpdyPeer(
  socket: Duplex,
  protocol: string,
  options: AttachOptions,
  clock: Clock,
): Promise<RemoteCommandPeer> {
  const hasResize = protocol === V4 || protocol === 'v3.channel.k8s.io'
  const collector = new StreamCollector('streamtype', expectedStreams(options, hasResize))
  const connection = new SpdyConnection(socket, {
    role: 'server',
    onStream: stream => collector.take(stream),
  })
  await collector.complete(connection, clock, STREAMS_WITHIN_MS)
  return new SpdyPeer(connection, collector.streams, protocol)
}

class SpdyPeer implements RemoteCommandPeer {
  readonly streams: RemoteStreams
  readonly #connection: SpdyConnection
  readonly #opened: ReadonlyMap<string, SpdyStream>
  readonly #protocol: string

  constructor(connection: SpdyConnection, opened: ReadonlyMap<string, SpdyStream>, protocol: string) {
    this.#connection = connection
    this.#opened = opened
    this.#protocol = protocol
    const [stdin, stdout, stderr, resize] = ['stdin', 'stdout', 'stderr', 'resize'].map(type =>
      opened.get(type),
    )
    // Clients say nothing on these; their FIN must be read all the same.
    for (const type of ['error', 'stdout', 'stderr']) opened.get(type)?.resume()
    this.streams = {
      ...(stdin && { stdin }),
      ...(stdout && { stdout }),
      ...(stderr && { stderr }),
      ...(resize && { resizes: sizesOf(resize) }),
    }
  }

  get signal(): AbortSignal {
    return this.#connection.signal
  }

  async finish(status: RemoteStatus): Promise<void> {
    const text = this.#protocol === V4 ? JSON.stringify(status) : statusText(status)
    const error = this.#opened.get('error')
    const outputs = [this.#opened.get('stdout'), this.#opened.get('stderr')]
    await Promise.all(outputs.map(output => output && ended(output)))
    if (error) await ended(error, text)
    await this.#connection.close()
  }
}

/** Resolves when the last byte is handed on, or there is nobody to hand it to. */
function ended(stream: Writable, lastWords = ''): Promise<void> {
  if (stream.writableFinished || stream.destroyed) return Promise.resolve()
  return new Promise(resolve => {
    stream.once('close', resolve)
    stream.once('finish', resolve)
    if (!stream.writableEnded) stream.end(lastWords)
  })
}

function sizesOf(stream: SpdyStream): TerminalSizes['queue'] {
  const sizes = new TerminalSizes()
  stream.on('data', (chunk: Buffer) => sizes.push(chunk))
  stream.once('close', () => sizes.queue.close())
  return sizes.queue
}
