// A client of exec or attach once its connection is taken over, whatever protocol it speaks.

import type { AttachOptions, RemoteStatus, RemoteStreams, TerminalSize } from '../../api/node-access.ts'
import { AsyncQueue } from '../../base/async-queue.ts'
import { JsonSequence } from '../../base/json-sequence.ts'

export interface RemoteCommandPeer {
  streams: RemoteStreams
  /** Aborted when the client is gone. */
  signal: AbortSignal
  /** Tells how it ended and closes the connection once everything is sent. */
  finish(status: RemoteStatus): Promise<void>
}

/** Streams that the options ask for, by the names of the protocols. */
export function expectedStreams({ stdin, stdout, stderr, tty }: AttachOptions, hasResize: boolean): string[] {
  return [
    'error',
    ...(stdin ? ['stdin'] : []),
    ...(stdout ? ['stdout'] : []),
    ...(stderr ? ['stderr'] : []),
    ...(tty && hasResize ? ['resize'] : []),
  ]
}

/** What protocols before v4 say instead of a Status: nothing when all went well. */
export function statusText(status: RemoteStatus): string {
  return status.status === 'Success' ? '' : (status.message ?? 'unknown error')
}

/** Terminal sizes as clients send them: {"Width":80,"Height":24}. */
export class TerminalSizes {
  readonly queue = new AsyncQueue<TerminalSize>()
  readonly #objects = new JsonSequence()

  push(chunk: Buffer): void {
    for (const object of this.#objects.push(chunk)) {
      const { Width: width, Height: height } = object as { Width?: unknown; Height?: unknown }
      if (isSize(width) && isSize(height)) this.queue.push({ width, height })
    }
  }
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
}
