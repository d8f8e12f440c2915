// Decides what becomes of an event before it is written: a new one, one more count of an old one, one that
// stands for many similar ones, or nothing. Follows client-go's tools/record/events_cache.go. No I/O, no clock.
import type { Draft } from '../../api/kube-object.ts'
import type { Event } from '../../api/types/core-v1.ts'
import { LruMap } from './lru-map.ts'
import { eventName, timeOf } from './subject.ts'

const CACHE_ENTRIES = 4096
/** From this many events that differ by message only, within the interval, they are combined. */
const AGGREGATE_MAX_EVENTS = 10
const AGGREGATE_INTERVAL_MS = 600_000
const SPAM_BURST = 25
const SPAM_REFILL_PER_MS = 1 / 300_000

export const COMBINED_PREFIX = '(combined from similar events): '

interface Aggregate {
  messages: Set<string>
  lastAt: number
}

interface Observation {
  count: number
  firstTimestamp: string | undefined
  name: string
}

interface TokenBucket {
  tokens: number
  updatedAt: number
}

/** What a correlator remembers. `correlate` and `observed` change it; all else about them is their arguments. */
export interface CorrelatorState {
  aggregates: LruMap<Aggregate>
  observations: LruMap<Observation>
  buckets: LruMap<TokenBucket>
}

export function newCorrelatorState(): CorrelatorState {
  return {
    aggregates: new LruMap(CACHE_ENTRIES),
    observations: new LruMap(CACHE_ENTRIES),
    buckets: new LruMap(CACHE_ENTRIES),
  }
}

export type EventDraft = Draft<Event>

export interface EventPatch {
  count: number
  lastTimestamp: string
  message: string
}

export type Correlated =
  | { do: 'create'; event: EventDraft }
  /** Patch the event of that name; when it is gone, create `event`. */
  | { do: 'patch'; event: EventDraft; patch: EventPatch }
  | { do: 'skip' }

/** `now` is in epoch milliseconds; `nanos` names a combined event and is unique. */
export function correlate(
  state: CorrelatorState,
  event: EventDraft,
  { now, nanos }: { now: number; nanos: bigint },
): Correlated {
  const { event: chosen, key } = aggregate(state, event, now, nanos)
  const correlated = observe(state, chosen, key)
  return takeToken(state, chosen, now) ? correlated : { do: 'skip' }
}

/** To be told what the server made of an event. Upstream: UpdateState. */
export function observed(state: CorrelatorState, event: EventDraft): void {
  state.observations.set(eventKey(event), observationOf(event))
}

function aggregate(
  { aggregates }: CorrelatorState,
  event: EventDraft,
  now: number,
  nanos: bigint,
): { event: EventDraft; key: string } {
  const group = aggregateKey(event)
  const before = aggregates.get(group)
  const fresh = !before || now - before.lastAt > AGGREGATE_INTERVAL_MS
  const messages = fresh ? new Set<string>() : before.messages
  messages.add(event.message ?? '')
  aggregates.set(group, { messages, lastAt: now })
  if (messages.size < AGGREGATE_MAX_EVENTS) return { event, key: eventKey(event) }
  // Any one makes room, so that the set grows no further.
  messages.delete(messages.values().next().value!)
  return { event: combined(event, now, nanos), key: group }
}

/** Upstream leaves out what only newer fields say (reporting controller and instance). */
function combined(event: EventDraft, now: number, nanos: bigint): EventDraft {
  const { involvedObject, reason, type, source } = event
  const at = timeOf(now)
  return {
    metadata: {
      name: eventName(involvedObject.name ?? '', nanos),
      namespace: event.metadata.namespace ?? 'default',
    },
    involvedObject,
    ...(reason !== undefined && { reason }),
    message: COMBINED_PREFIX + (event.message ?? ''),
    source,
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    ...(type !== undefined && { type }),
    reportingComponent: '',
    reportingInstance: '',
  }
}

function observe({ observations }: CorrelatorState, event: EventDraft, key: string): Correlated {
  const last = observations.get(key)
  if (!last || last.count === 0) {
    observations.set(key, observationOf(event))
    return { do: 'create', event }
  }
  const again: EventDraft = {
    ...event,
    metadata: { ...event.metadata, name: last.name },
    count: last.count + 1,
    ...(last.firstTimestamp !== undefined && { firstTimestamp: last.firstTimestamp }),
  }
  observations.set(key, observationOf(again))
  const patch = {
    count: last.count + 1,
    lastTimestamp: event.lastTimestamp ?? '',
    message: event.message ?? '',
  }
  return { do: 'patch', event: again, patch }
}

function observationOf({ count, firstTimestamp, metadata }: EventDraft): Observation {
  return { count: count ?? 0, firstTimestamp, name: metadata.name }
}

/** Every source may tell a burst about an object, and little after that. Upstream: EventSourceObjectSpamFilter. */
function takeToken({ buckets }: CorrelatorState, event: EventDraft, now: number): boolean {
  const key = spamKey(event)
  const { tokens, updatedAt } = buckets.get(key) ?? { tokens: SPAM_BURST, updatedAt: now }
  const filled = Math.min(SPAM_BURST, tokens + (now - updatedAt) * SPAM_REFILL_PER_MS)
  const accepted = filled >= 1
  buckets.set(key, { tokens: accepted ? filled - 1 : filled, updatedAt: now })
  return accepted
}

function sourceAndObject({ source, involvedObject: object }: EventDraft): (string | undefined)[] {
  return [
    source.component,
    source.host,
    object.kind,
    object.namespace,
    object.name,
    object.uid,
    object.apiVersion,
  ]
}

function spamKey(event: EventDraft): string {
  return joined(...sourceAndObject(event), event.type)
}

function aggregateKey(event: EventDraft): string {
  const { type, reason, reportingComponent, reportingInstance } = event
  return joined('similar', ...sourceAndObject(event), type, reason, reportingComponent, reportingInstance)
}

function eventKey(event: EventDraft): string {
  const { type, reason, message, involvedObject } = event
  return joined('same', ...sourceAndObject(event), involvedObject.fieldPath, type, reason, message)
}

/** Joined so that parts cannot run into each other. */
const joined = (...parts: (string | undefined)[]) => parts.map(part => part ?? '').join('\0')
