// Runs one exec or attach over the runtime's streaming URL: the caller's streams on this side, SPDY streams on that.
import { finished, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type {
  AttachOptions,
  RemoteSession,
  RemoteStatus,
  RemoteStreams,
  TerminalSize,
} from '../../api/node-access.ts'
import type { SpdyConnection } from '../../base/spdy/spdy-connection.ts'
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts'
import { type ClientPair, dialStreaming } from './dial-streaming.ts'

const PROTOCOL = 'v4.channel.k8s.io'

/** `options` decide which streams are opened; the caller must bring as many. */
export function remoteSession(url: string, options: AttachOptions, pair?: ClientPair): RemoteSession {
  return async (streams, signal) => {
    const connection = await dialStreaming(url, PROTOCOL, signal, pair)
    const hangUp = () => connection.destroy()
    signal.addEventListener('abort', hangUp, { once: true })
    if (signal.aborted) hangUp()
    try {
      return await converse(connection, options, streams)
    } finally {
      signal.removeEventListener('abort', hangUp)
      connection.destroy()
    }
  }
}

async function converse(
  connection: SpdyConnection,
  options: AttachOptions,
  streams: RemoteStreams,
): Promise<RemoteStatus> {
  const open = (streamtype: string) => connection.openStream({ streamtype })
  const errors = open('error')
  const status = textOf(errors)
  errors.end()
  if (options.stdin) sendInput(streams.stdin ?? Readable.from([]), open('stdin'))
  const outputs = (['stdout', 'stderr'] as const)
    .filter(name => options[name])
    .map(name => {
      const stream = open(name)
      stream.end()
      const target = streams[name]
      return target ? pipeline(stream, target) : stream.resume()
    })
  if (options.tty) void sendSizes(streams.resizes, open('resize'))
  await Promise.all(outputs)
  return parseStatus(await status)
}

/** The command may end before it has read everything, or the caller stop before it has: both are no failure. */
function sendInput(source: Readable, stream: SpdyStream): void {
  stream.resume()
  pipeline(source, stream).catch(() => {})
}

async function sendSizes(sizes: AsyncIterable<TerminalSize> | undefined, stream: SpdyStream): Promise<void> {
  stream.on('error', () => {})
  stream.resume()
  for await (const { width, height } of sizes ?? []) {
    if (!stream.writable) return
    stream.write(`${JSON.stringify({ Width: width, Height: height })}\n`)
  }
}

/** Everything that comes until the end; throws when the connection breaks before. */
function textOf(stream: SpdyStream): Promise<string> {
  const text = new Promise<string>((resolve, reject) => {
    let sum = ''
    stream.on('data', (chunk: Buffer) => {
      sum += chunk.toString('utf8')
    })
    finished(stream, { writable: false }, error => (error ? reject(error) : resolve(sum)))
  })
  text.catch(() => {})
  return text
}

/** Nothing means that all went well. */
function parseStatus(text: string): RemoteStatus {
  if (text === '') return { metadata: {}, status: 'Success' }
  const status = JSON.parse(text) as RemoteStatus
  return status.status === 'Success' ? { metadata: {}, status: 'Success' } : status
}
