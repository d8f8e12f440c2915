// Answers that go on: watches as frames and logs as bytes. Back-pressure reaches the source; a watcher that
// stops reading is cut off so that nothing piles up for it.
import type { ServerResponse } from 'node:http'
import type { KubeObject, WatchEvent } from '../../api/kube-object.ts'
import { internalError, StatusError } from '../../api/status-error.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { SharedEncoder } from './encode.ts'
import { JSON_TYPE, PROTOBUF_TYPE, type Representation } from './negotiate.ts'

/** How long a watcher may leave a full socket unread. */
const STALLED_WATCHER_MS = 30_000

export interface WatchStream {
  events: AsyncIterable<WatchEvent<KubeObject>>
  representation: Representation
  /** Turns an object into what the client asked for (a table, metadata only); the object itself by default. */
  convert: (object: KubeObject) => object
  encoder: SharedEncoder
  clock: Clock
  log: Log
  /** Aborted when the client goes away or the server closes. */
  signal: AbortSignal
}

/** Writes until the watch ends. Failures after the first byte become an ERROR event. */
export async function streamWatch(response: ServerResponse, watch: WatchStream): Promise<void> {
  const type = watch.representation.mediaType === PROTOBUF_TYPE ? PROTOBUF_TYPE : JSON_TYPE
  const contentType = type === JSON_TYPE ? JSON_TYPE : `${PROTOBUF_TYPE};stream=watch`
  response.writeHead(200, { 'Content-Type': contentType })
  response.flushHeaders()
  try {
    for await (const event of watch.events) {
      if (response.destroyed || watch.signal.aborted) break
      const frame = watch.encoder.frame(event.type, watch.convert(event.object), type)
      if (!response.write(frame) && !(await drained(response, watch))) break
    }
  } catch (error) {
    if (!watch.signal.aborted) writeError(response, error, watch, type)
  }
  if (!response.destroyed) response.end()
}

function writeError(
  response: ServerResponse,
  error: unknown,
  { encoder, log }: WatchStream,
  type: typeof JSON_TYPE | typeof PROTOBUF_TYPE,
): void {
  if (!(error instanceof StatusError)) log.error({ error }, 'a watch failed')
  const { status } = error instanceof StatusError ? error : internalError(error)
  response.write(encoder.frame('ERROR', status, type))
}

/** True when the client read on; false, with the connection closed, when it did not in time. */
async function drained(response: ServerResponse, { clock, log, signal }: WatchStream): Promise<boolean> {
  const gaveUp = new AbortController()
  const stalled = clock
    .sleep(STALLED_WATCHER_MS, AbortSignal.any([gaveUp.signal, signal]))
    .then(() => 'stalled' as const)
    .catch(() => 'over' as const)
  const outcome = await Promise.race([nextDrain(response), stalled])
  gaveUp.abort('drained')
  if (outcome !== 'stalled') return outcome === 'drained'
  log.warn({ stalledMs: STALLED_WATCHER_MS }, 'closing a watch whose client does not read')
  response.destroy()
  return false
}

function nextDrain(response: ServerResponse): Promise<'drained' | 'over'> {
  return new Promise(resolve => {
    const finish = (outcome: 'drained' | 'over') => () => {
      response.off('drain', onDrain)
      response.off('close', onClose)
      resolve(outcome)
    }
    const onDrain = finish('drained')
    const onClose = finish('over')
    response.once('drain', onDrain)
    response.once('close', onClose)
    if (response.destroyed) onClose()
  })
}

/** Every chunk goes out as it comes. Throws nothing: a broken source cuts the answer short, which clients see. */
export async function streamBytes(
  response: ServerResponse,
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  log: Log,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': contentType })
  response.flushHeaders()
  try {
    for await (const chunk of body) {
      if (response.destroyed) return
      if (!response.write(chunk) && (await nextDrain(response)) === 'over') return
    }
    response.end()
  } catch (error) {
    if (!response.destroyed) log.error({ error }, 'a stream broke off')
    response.destroy()
  }
}
