// Port forwarding over SPDY: the client opens an error and a data stream per connection, paired by requestID.
// Upstream: the kubelet's portforward/httpstream.go.
import type { Duplex } from 'node:stream'
import { StreamPairs } from '../../base/spdy/pair-streams.ts'
import { connectionOver, SpdyConnection } from '../../base/spdy/spdy-connection.ts'
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts'
import type { ForwardSession } from './port-forward-session.ts'

/** Upstream's streamCreationTimeout. */
const PAIR_WITHIN_MS = 30_000

/** Until the client closes the connection or the signal aborts. */
export async function forwardStreams(socket: Duplex, session: ForwardSession): Promise<void> {
  const { clock, log } = session.parts
  const pairs = new StreamPairs({
    clock,
    withinMs: PAIR_WITHIN_MS,
    onPair: (data, error) => void forwardPair(data, error, session, connection.signal),
  })
  const connection = new SpdyConnection(socket, {
    role: 'server',
    onStream(stream) {
      const problem = streamProblem(stream)
      if (problem) {
        log.debug({ problem }, 'a stream of a port forwarding was refused')
        stream.destroy()
      } else pairs.take(stream, connection)
    },
  })
  const hangUp = () => connection.destroy()
  session.signal.addEventListener('abort', hangUp, { once: true })
  await connectionOver(connection)
  session.signal.removeEventListener('abort', hangUp)
}

/** Upstream's httpStreamReceived. */
function streamProblem({ headers: { port = '', streamtype = '' } }: SpdyStream): string | undefined {
  if (port === '') return '"port" header is required'
  if (!/^\d+$/.test(port) || Number(port) > 65_535)
    return `unable to parse ${JSON.stringify(port)} as a port: invalid syntax`
  if (Number(port) === 0) return `port ${JSON.stringify(port)} must be > 0`
  if (streamtype === '') return '"streamtype" header is required'
  return streamtype === 'data' || streamtype === 'error'
    ? undefined
    : `invalid stream type ${JSON.stringify(streamtype)}`
}

/** Never rejects: what goes wrong is said on the error stream. */
async function forwardPair(
  data: SpdyStream,
  error: SpdyStream,
  { pod, forward }: ForwardSession,
  signal: AbortSignal,
): Promise<void> {
  // Clients say nothing here; their FIN must be read all the same.
  error.resume()
  const port = Number(data.headers.port)
  try {
    await forward(port, data, signal)
    error.end()
    data.resume()
  } catch (cause) {
    error.end(`error forwarding port ${port} to pod ${pod.name}, uid ${pod.uid}: ${(cause as Error).message}`)
    data.destroy()
  }
}
