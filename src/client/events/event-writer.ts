// Writes events in the background, one after the other. Whoever records an event never waits and never fails.
import { isAlreadyExists, isNotFound, StatusError } from '../../api/status-error.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { nextTurn } from '../../base/next-turn.ts'

/** Upstream's values: tools/record/event.go. */
const MAX_QUEUED = 1_000
const MAX_TRIES = 12
const RETRY_MS = 10_000

/** Writes one event. Rejects with StatusError when the server refuses it. */
export type WriteEvent = () => Promise<void>

export interface EventWriterOptions {
  clock: Clock
  log: Log
  /** From 0 to below 1: spreads first retries. */
  random: () => number
}

export class EventWriter {
  readonly #options: EventWriterOptions
  readonly #queue: WriteEvent[] = []
  #draining: Promise<void> | undefined
  /** Set by flush: no more waiting between tries. */
  readonly #hurry = new AbortController()

  constructor(options: EventWriterOptions) {
    this.#options = options
  }

  /** Drops the event when a thousand wait already. */
  enqueue(write: WriteEvent): void {
    if (this.#queue.length >= MAX_QUEUED) {
      this.#options.log.warn({ queued: MAX_QUEUED }, 'too many events wait to be written; dropping one')
      return
    }
    this.#queue.push(write)
    // Starting later lets the caller, and what it has set going, go on first.
    this.#draining ??= nextTurn().then(() => this.#drain())
  }

  /**
   * For shutting down: resolves when every event recorded so far was tried, or when the signal aborts. From now on a
   * server that cannot be reached is not waited for.
   */
  async flush(signal: AbortSignal): Promise<void> {
    this.#hurry.abort()
    if (!this.#draining || signal.aborted) return
    const aborted = Promise.withResolvers<void>()
    const stop = () => aborted.resolve()
    signal.addEventListener('abort', stop, { once: true })
    await Promise.race([this.#draining, aborted.promise])
    signal.removeEventListener('abort', stop)
  }

  async #drain(): Promise<void> {
    for (let write = this.#queue.shift(); write; write = this.#queue.shift()) await this.#write(write)
    this.#draining = undefined
  }

  async #write(write: WriteEvent): Promise<void> {
    const { clock, log, random } = this.#options
    for (let tries = 1; ; tries++) {
      try {
        return await write()
      } catch (error) {
        if (error instanceof StatusError) return this.#refused(error)
        if (tries >= MAX_TRIES || this.#hurry.signal.aborted) {
          log.error({ error }, 'cannot write an event; dropping it')
          return
        }
        log.warn({ error }, 'cannot write an event; trying again')
        const delayMs = tries === 1 ? RETRY_MS * random() : RETRY_MS
        await clock.sleep(delayMs, this.#hurry.signal).catch(() => {})
      }
    }
  }

  /** What the server refuses it will refuse again. */
  #refused(error: StatusError): void {
    const { log } = this.#options
    const namespaceEnds = error.status.details?.causes?.some(
      ({ reason }) => reason === 'NamespaceTerminating',
    )
    if (isAlreadyExists(error) || namespaceEnds) log.debug({ error }, 'the server refused an event')
    else log.error({ error }, 'the server refused an event')
  }
}

/** Patches, or creates when what should be patched is gone. */
export async function patchOrCreate<T>(patch: () => Promise<T>, create: () => Promise<T>): Promise<T> {
  try {
    return await patch()
  } catch (error) {
    if (isNotFound(error)) return create()
    throw error
  }
}
