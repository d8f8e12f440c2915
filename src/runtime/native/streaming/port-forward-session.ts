// Connections into a sandbox's network, one per pair of a data and an error stream.
// Upstream: the portforward package of cri-streaming, containerd's portForward.
import type { Clock } from '../../../base/clock.ts'
import { joinStreams } from '../../../base/join-streams.ts'
import { StreamPairs } from '../../../base/spdy/pair-streams.ts'
import { connectionOver } from '../../../base/spdy/spdy-connection.ts'
import type { SpdyStream } from '../../../base/spdy/spdy-stream.ts'
import { dialLoopback } from './dial-loopback.ts'
import type { StreamingSession } from './streaming-server.ts'

/** Upstream's streamCreationTimeout. */
const PAIR_WITHIN_MS = 30_000

export interface ForwardTarget {
  sandboxId: string
  /** Pins the sandbox's network; absent: the machine's own. */
  networkFile?: string
}

export function portForward(target: ForwardTarget, clock: Clock): StreamingSession {
  const pairs = new StreamPairs({
    clock,
    withinMs: PAIR_WITHIN_MS,
    onPair: (data, error) => void forward(target, data, error),
  })
  return {
    protocol: 'portforward.k8s.io',
    onStream(stream, connection) {
      const { port = '', streamtype = '' } = stream.headers
      const isKnown = streamtype === 'data' || streamtype === 'error'
      if (isKnown && /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536)
        pairs.take(stream, connection)
      else stream.destroy()
    },
    run: connectionOver,
  }
}

/** Never rejects: what goes wrong is said on the error stream. */
async function forward(target: ForwardTarget, data: SpdyStream, error: SpdyStream): Promise<void> {
  error.resume()
  try {
    await joinStreams(data, await dialLoopback(Number(data.headers.port), target.networkFile))
    error.end()
  } catch (cause) {
    const where = target.networkFile ? ` in network namespace "${target.networkFile}"` : ''
    error.end(`failed to execute portforward${where}: ${(cause as Error).message}`)
    data.destroy()
  }
}
