// Pods that wait for a node: ready to be tried (by priority, then age), backing off, or unschedulable until the
// cluster changes. Upstream: pkg/scheduler/backend/queue/scheduling_queue.go.
import type { Pod } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'

const BACKOFF_FIRST_MS = 1_000
const BACKOFF_MAX_MS = 10_000
/** An unschedulable Pod is tried again after this long even if nothing seems to have changed. */
const UNSCHEDULABLE_MAX_MS = 300_000

export interface QueuedPod {
  pod: Pod
  /** Failed tries so far. */
  attempts: number
  /** When it came in, for order within a priority. Epoch milliseconds. */
  addedAt: number
  /** Plugins that turned it away last time. */
  rejectedBy: ReadonlySet<string>
}

type Place = 'active' | 'backoff' | 'unschedulable'

interface Entry extends QueuedPod {
  place: Place
  /** For the backoff place: when it may be tried; for unschedulable: since when it waits. */
  since: number
}

export class SchedulingQueue {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  #wake: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  /** A Pod that is new, or whose spec or labels changed so that it may fit now. */
  add(pod: Pod): void {
    const known = this.#entries.get(pod.metadata.uid)
    this.#put({
      pod,
      attempts: known?.attempts ?? 0,
      addedAt: known?.addedAt ?? this.#clock.now(),
      rejectedBy: new Set(),
      place: 'active',
      since: this.#clock.now(),
    })
  }

  /** Takes over a newer version of the object without trying it again. */
  refresh(pod: Pod): void {
    const known = this.#entries.get(pod.metadata.uid)
    if (known) known.pod = pod
  }

  remove(uid: string): void {
    this.#entries.delete(uid)
  }

  /** A try failed: the Pod waits for a change, or only for its back-off when `retry` says that an error was at fault. */
  failed(tried: QueuedPod, pod: Pod, rejectedBy: ReadonlySet<string>, retry: boolean): void {
    const attempts = tried.attempts + 1
    const now = this.#clock.now()
    const base = { pod, attempts, addedAt: tried.addedAt, rejectedBy }
    this.#put(
      retry
        ? { ...base, place: 'backoff', since: now + backoffMs(attempts) }
        : { ...base, place: 'unschedulable', since: now },
    )
  }

  /** Something changed that may help Pods turned away by one of these plugins (all plugins when left out). */
  wake(plugins?: ReadonlySet<string>): void {
    for (const entry of this.#entries.values()) {
      if (entry.place !== 'unschedulable') continue
      if (plugins && entry.rejectedBy.size > 0 && plugins.isDisjointFrom(entry.rejectedBy)) continue
      this.#leaveUnschedulable(entry)
    }
    this.#wake?.()
  }

  /** The next Pod to try, waiting for one if need be; it is out of the queue then. Rejects when aborted. */
  async next(signal: AbortSignal): Promise<QueuedPod> {
    for (;;) {
      signal.throwIfAborted()
      this.#promote()
      const best = this.#best()
      if (best) {
        this.#entries.delete(best.pod.metadata.uid)
        return best
      }
      await this.#change(signal)
    }
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.pod.metadata.uid, entry)
    this.#wake?.()
  }

  #leaveUnschedulable(entry: Entry): void {
    const dueAt = entry.since + backoffMs(entry.attempts)
    entry.place = dueAt > this.#clock.now() ? 'backoff' : 'active'
    entry.since = dueAt
  }

  #promote(): void {
    const now = this.#clock.now()
    for (const entry of this.#entries.values()) {
      if (entry.place === 'backoff' && entry.since <= now) entry.place = 'active'
      if (entry.place === 'unschedulable' && entry.since + UNSCHEDULABLE_MAX_MS <= now) entry.place = 'active'
    }
  }

  #best(): Entry | undefined {
    let best: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (entry.place === 'active' && (!best || isBefore(entry, best))) best = entry
    }
    return best
  }

  /** Resolves when the queue was touched or the next waiting Pod is due. */
  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = new AbortController()
    const dueAt = this.#nextDue()
    const waits: Promise<void>[] = [promise, rejectOnAbort(AbortSignal.any([signal, timer.signal]))]
    if (dueAt !== undefined) waits.push(this.#clock.sleep(dueAt - this.#clock.now(), timer.signal))
    try {
      await Promise.race(waits)
    } finally {
      this.#wake = undefined
      for (const wait of waits) wait.catch(() => {})
      timer.abort()
    }
  }

  #nextDue(): number | undefined {
    const due = [...this.#entries.values()]
      .filter(({ place }) => place !== 'active')
      .map(({ place, since }) => (place === 'backoff' ? since : since + UNSCHEDULABLE_MAX_MS))
    return due.length > 0 ? Math.min(...due) : undefined
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  )
}

/** 1 s, 2 s, 4 s … 10 s for 1, 2, 3 … failed tries. */
export function backoffMs(attempts: number): number {
  return attempts === 0 ? 0 : Math.min(BACKOFF_FIRST_MS * 2 ** (attempts - 1), BACKOFF_MAX_MS)
}

/** Upstream: the PrioritySort plugin. */
function isBefore(a: QueuedPod, b: QueuedPod): boolean {
  const byPriority = (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0)
  return byPriority === 0 ? a.addedAt < b.addedAt : byPriority < 0
}
