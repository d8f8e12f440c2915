// One exec or attach over SPDY, protocol v4: a stream per standard stream, and a metav1.Status on the error stream.
// Upstream: the remotecommand package of cri-streaming.
import type { Clock } from '../../../base/clock.ts'
import { JsonSequence } from '../../../base/json-sequence.ts'
import { StreamCollector } from '../../../base/spdy/collect-streams.ts'
import type { SpdyStream } from '../../../base/spdy/spdy-stream.ts'
import type { StreamingSession } from './streaming-server.ts'

export interface TerminalSize {
  width: number
  height: number
}

/** The client's ends, as many as were asked for. */
export interface CommandStreams {
  stdin?: SpdyStream
  stdout?: SpdyStream
  stderr?: SpdyStream
  /** Calls back for every size that the client's terminal takes. */
  onResize(listener: (size: TerminalSize) => void): void
}

export interface WantedStreams {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  tty: boolean
}

/** How a command ended; `command` is what the words of a failure name. */
export interface CommandEnd {
  exitCode: number
  command: readonly string[]
}

/**
 * Runs until everything is written to the outputs, which it ends. Nothing is answered where no exit code is of interest.
 * What it throws is told to the client as an internal error.
 */
export type Perform = (streams: CommandStreams, signal: AbortSignal) => Promise<CommandEnd | undefined>

/** Upstream's DefaultStreamCreationTimeout. */
const STREAMS_WITHIN_MS = 30_000

export function remoteCommand(wanted: WantedStreams, clock: Clock, perform: Perform): StreamingSession {
  const { stdin, stdout, stderr, tty } = wanted
  const names = { error: true, stdin, stdout, stderr: stderr && !tty, resize: tty }
  const asked = Object.entries(names).flatMap(([name, isAsked]) => (isAsked ? [name] : []))
  const collector = new StreamCollector('streamtype', asked)
  return {
    protocol: 'v4.channel.k8s.io',
    onStream: stream => collector.take(stream),
    async run(connection) {
      await collector.complete(connection, clock, STREAMS_WITHIN_MS)
      const { streams } = collector
      // Clients say nothing on these; their FIN must be read all the same.
      for (const name of ['error', 'stdout', 'stderr']) streams.get(name)?.resume()
      const status = await perform(commandStreams(streams), connection.signal).then(statusOf, failureOf)
      await ended(streams.get('error')!, JSON.stringify(status))
    },
  }
}

function commandStreams(streams: ReadonlyMap<string, SpdyStream>): CommandStreams {
  const [stdin, stdout, stderr] = ['stdin', 'stdout', 'stderr'].map(name => streams.get(name))
  return {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    onResize(listener) {
      const sizes = new JsonSequence()
      streams.get('resize')?.on('data', (chunk: Buffer) => {
        for (const object of sizes.push(chunk)) {
          const { Width: width, Height: height } = object as { Width?: unknown; Height?: unknown }
          if (isSize(width) && isSize(height)) listener({ width, height })
        }
      })
    },
  }
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
}

function ended(stream: SpdyStream, lastWords: string): Promise<void> {
  if (stream.destroyed) return Promise.resolve()
  return new Promise(resolve => {
    stream.once('close', resolve)
    stream.end(lastWords, () => resolve())
  })
}

/** Upstream: ServeExec. */
function statusOf(end: CommandEnd | undefined): object {
  if (!end || end.exitCode === 0) return { metadata: {}, status: 'Success' }
  const { command, exitCode } = end
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: error executing command [${command.join(' ')}], exit code ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

function failureOf(error: unknown): object {
  const words = error instanceof Error ? error.message : String(error)
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${words}`,
    reason: 'InternalError',
    details: { causes: [{ message: words }] },
    code: 500,
  }
}
