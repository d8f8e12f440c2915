import { events } from '../../api/resources.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../client.ts'
import { type Correlated, correlate, type EventDraft, newCorrelatorState, observed } from './correlate.ts'
import { EventWriter, patchOrCreate } from './event-writer.ts'
import { type EventSubject, eventName, referenceTo, timeOf, UniqueNanos } from './subject.ts'

export type EventType = 'Normal' | 'Warning'

export interface EventRecorderOptions {
  client: Client
  /** Who speaks: 'kubelet'. */
  component: string
  /** The node, for components that run on each. */
  host?: string
  clock: Clock
  log: Log
  random?: () => number
}

/** Records v1 Events as client-go's tools/record does: correlated, in order, in the background. */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #writer: EventWriter
  readonly #state = newCorrelatorState()
  readonly #nanos: UniqueNanos

  constructor(options: EventRecorderOptions) {
    this.#options = options
    const { random = Math.random } = options
    this.#writer = new EventWriter({ ...options, random })
    this.#nanos = new UniqueNanos(random())
  }

  /** Returns at once and never throws. For a part of an object pass `referenceTo(pod, 'spec.containers{web}')`. */
  event(
    subject: EventSubject,
    type: EventType,
    reason: string,
    message: string,
    annotations?: Record<string, string>,
  ): void {
    const now = this.#options.clock.now()
    const event = this.#make(subject, type, reason, message, now)
    if (annotations) event.metadata.annotations = annotations
    const nanos = this.#nanos.next(now)
    // Correlated when its turn comes, so that what the server answered to earlier ones is known.
    let correlated: Correlated | undefined
    this.#writer.enqueue(() => {
      correlated ??= correlate(this.#state, event, { now, nanos })
      return this.#write(correlated)
    })
  }

  /** For shutting down; see EventWriter. */
  flush(signal: AbortSignal): Promise<void> {
    return this.#writer.flush(signal)
  }

  /** Events about cluster-scoped objects are kept in the namespace 'default'. Upstream: recorder.makeEvent. */
  #make(subject: EventSubject, type: EventType, reason: string, message: string, now: number): EventDraft {
    const { component, host } = this.#options
    const involvedObject = referenceTo(subject)
    const at = timeOf(now)
    return {
      metadata: {
        name: eventName(involvedObject.name ?? '', this.#nanos.next(now)),
        namespace: involvedObject.namespace ?? 'default',
      },
      involvedObject,
      reason,
      message,
      source: { component, ...(host && { host }) },
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
      type,
      reportingComponent: component,
      reportingInstance: host ?? '',
    }
  }

  async #write(correlated: Correlated): Promise<void> {
    if (correlated.do === 'skip') return
    const { client } = this.#options
    const { event } = correlated
    // The server freezes what it is given, and a retry needs it once more.
    const create = () => client.create(events, structuredClone(event))
    if (correlated.do === 'create') {
      observed(this.#state, await create())
      return
    }
    const { name, namespace } = event.metadata
    const key = { name, ...(namespace && { namespace }) }
    const patch = () =>
      client.patch(events, key, 'application/strategic-merge-patch+json', { ...correlated.patch })
    observed(this.#state, await patchOrCreate(patch, create))
  }
}
