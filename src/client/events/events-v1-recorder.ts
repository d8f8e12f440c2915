// Records events.k8s.io/v1 Events with series, as client-go's tools/events does (the scheduler's way).
import type { Draft } from '../../api/kube-object.ts'
import { eventsV1 } from '../../api/resources.ts'
import { isAlreadyExists } from '../../api/status-error.ts'
import type { Event } from '../../api/types/events-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../client.ts'
import type { EventType } from './event-recorder.ts'
import { EventWriter, patchOrCreate } from './event-writer.ts'
import { type EventSubject, eventName, microTimeOf, referenceTo, UniqueNanos } from './subject.ts'

/** A series that was quiet for this long is over. */
const FINISH_MS = 360_000
/** Series that go on are written this often, so that the server does not forget them. */
const REFRESH_MS = 1_800_000

export interface EventsV1RecorderOptions {
  client: Client
  /** 'default-scheduler'. */
  reportingController: string
  /** Makes the reporting instance: '<controller>-<hostname>'. */
  hostname: string
  clock: Clock
  log: Log
  random?: () => number
}

type EventDraft = Draft<Event>

/** An event seen lately; `series` once it was seen again. */
interface Known {
  event: EventDraft
  series?: { count: number; lastObservedAt: number }
  firstObservedAt: number
}

export class EventsV1Recorder {
  readonly #options: EventsV1RecorderOptions
  readonly #writer: EventWriter
  readonly #nanos: UniqueNanos
  readonly #known = new Map<string, Known>()

  constructor(options: EventsV1RecorderOptions) {
    this.#options = options
    const { random = Math.random } = options
    this.#writer = new EventWriter({ ...options, random })
    this.#nanos = new UniqueNanos(random())
  }

  /** Returns at once and never throws. */
  event(
    regarding: EventSubject,
    related: EventSubject | undefined,
    type: EventType,
    reason: string,
    action: string,
    note: string,
  ): void {
    const now = this.#options.clock.now()
    const event = this.#make(regarding, related, type, reason, action, note, now)
    const key = keyOf(event)
    const known = this.#known.get(key)
    if (!known) {
      this.#known.set(key, { event, firstObservedAt: now })
      this.#writer.enqueue(() => this.#create(event))
    } else if (!known.series) {
      known.series = { count: 2, lastObservedAt: now }
      this.#enqueueSeries(known)
    } else {
      // Written when the series is refreshed or over.
      known.series.count++
      known.series.lastObservedAt = now
    }
  }

  /** Writes the counts of series that go on or are over. Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#every(FINISH_MS, signal, () => this.#finishSeries()),
      this.#every(REFRESH_MS, signal, () => this.#refreshSeries()),
    ])
  }

  /** For shutting down; see EventWriter. */
  flush(signal: AbortSignal): Promise<void> {
    return this.#writer.flush(signal)
  }

  async #every(ms: number, signal: AbortSignal, action: () => void): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(ms, signal).catch(() => {})
      if (!signal.aborted) action()
    }
  }

  #refreshSeries(): void {
    for (const known of this.#known.values()) if (known.series) this.#enqueueSeries(known)
  }

  #finishSeries(): void {
    const before = this.#options.clock.now() - FINISH_MS
    for (const [key, known] of this.#known) {
      if ((known.series?.lastObservedAt ?? known.firstObservedAt) >= before) continue
      this.#known.delete(key)
      if (known.series) this.#enqueueSeries(known)
    }
  }

  #enqueueSeries(known: Known): void {
    this.#writer.enqueue(() => this.#writeSeries(known))
  }

  async #create(event: EventDraft): Promise<void> {
    await this.#options.client.create(eventsV1, structuredClone(event))
  }

  async #writeSeries({ event, series }: Known): Promise<void> {
    const { client } = this.#options
    const { name, namespace } = event.metadata
    const key = { name, ...(namespace && { namespace }) }
    const written = { count: series!.count, lastObservedTime: microTimeOf(series!.lastObservedAt) }
    const patch = () =>
      client.patch(eventsV1, key, 'application/strategic-merge-patch+json', { series: written })
    const create = () => client.create(eventsV1, { ...structuredClone(event), series: { ...written } })
    try {
      await patchOrCreate(patch, create)
    } catch (error) {
      // It was not there to be patched and was there when it should be created: now it can be patched.
      if (!isAlreadyExists(error)) throw error
      await patch()
    }
  }

  #make(
    regarding: EventSubject,
    related: EventSubject | undefined,
    type: EventType,
    reason: string,
    action: string,
    note: string,
    now: number,
  ): EventDraft {
    const { reportingController, hostname } = this.#options
    const reference = referenceTo(regarding)
    return {
      metadata: {
        name: eventName(reference.name ?? '', this.#nanos.next(now)),
        namespace: reference.namespace ?? 'default',
      },
      eventTime: microTimeOf(now),
      reportingController,
      reportingInstance: `${reportingController}-${hostname}`,
      action,
      reason,
      regarding: reference,
      ...(related && { related: referenceTo(related) }),
      note,
      type,
      deprecatedSource: {},
    }
  }
}

/** Events that differ by time and note only are the same. */
function keyOf({
  type,
  action,
  reason,
  reportingController,
  reportingInstance,
  regarding,
  related,
}: EventDraft): string {
  return JSON.stringify([type, action, reason, reportingController, reportingInstance, regarding, related])
}
