// Pods that wait for a node: ready to be tried (by priority, then age), backing off, unschedulable until something
// happens that may help, or held by gates. Upstream: pkg/scheduler/backend/queue/scheduling_queue.go.
import { priorityOf } from '../../api/pod/priority.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import { PriorityHeap } from './priority-heap.ts'

const BACKOFF_FIRST_MS = 1_000
const BACKOFF_MAX_MS = 10_000
/** Pods whose back-off ends within the same second are ordered by priority. Upstream: backoffQOrderingWindowDuration. */
const BACKOFF_WINDOW_MS = 1_000
/** An unschedulable Pod is tried again after this long even if nothing seems to have changed. */
const UNSCHEDULABLE_MAX_MS = 300_000

export interface QueuedPod {
  pod: Pod
  /** Failed tries so far. */
  attempts: number
  /** When it came in, for order within a priority. Epoch milliseconds. */
  addedAt: number
  /** Plugins that turned it away last time; none when an error was at fault. */
  rejectedBy: ReadonlySet<string>
  /** Since when it waits. Epoch milliseconds. */
  since: number
  /** The last try ended in an error: its back-off is waited out whatever happens. */
  failed: boolean
}

/** The plugin that does not let the Pod be tried yet. */
export type Holds = (pod: Pod) => string | undefined

/** Whether the change that is at hand may let the Pod fit. */
export type MayHelp = (queued: QueuedPod) => boolean

/** Upstream's name of the plugin; nothing but a change of the Pod helps. */
const GATES = 'SchedulingGates'

const uidOf = ({ pod }: QueuedPod) => pod.metadata.uid

export class SchedulingQueue {
  readonly #clock: Clock
  readonly #holds: Holds
  readonly #active = new PriorityHeap<QueuedPod>(uidOf, isBefore)
  readonly #backingOff = new PriorityHeap<QueuedPod>(uidOf, endsBefore)
  /** Backing off after an error. */
  readonly #failed = new PriorityHeap<QueuedPod>(uidOf, endsBefore)
  /** Oldest first: whoever comes in goes to the end. */
  readonly #unschedulable = new Map<string, QueuedPod>()
  readonly #gated = new Map<string, QueuedPod>()
  #wake: (() => void) | undefined

  constructor(clock: Clock, holds: Holds = () => undefined) {
    this.#clock = clock
    this.#holds = holds
  }

  get size(): number {
    const { size } = this.#active
    return size + this.#backingOff.size + this.#failed.size + this.#unschedulable.size + this.#gated.size
  }

  has(uid: string): boolean {
    return this.#find(uid) !== undefined
  }

  /** A Pod that is new; one with scheduling gates is held until they are gone, as is one that a plugin holds. */
  add(pod: Pod): void {
    const now = this.#clock.now()
    const known = this.#take(pod.metadata.uid)
    const queued: QueuedPod = {
      pod,
      attempts: known?.attempts ?? 0,
      addedAt: known?.addedAt ?? now,
      rejectedBy: new Set(),
      since: now,
      failed: false,
    }
    const holder = pod.spec.schedulingGates?.length ? GATES : this.#holds(pod)
    if (holder === undefined) this.#activate(queued)
    else this.#gated.set(pod.metadata.uid, { ...queued, rejectedBy: new Set([holder]) })
  }

  /** Takes over a newer version of the object; whether it is tried again is decided by what changed. */
  update(pod: Pod, mayHelp: MayHelp): void {
    const { uid } = pod.metadata
    const known = this.#find(uid)
    if (!known) return
    if (this.#gated.has(uid) || this.#active.get(uid)) this.add(pod)
    else {
      known.pod = pod
      if (this.#unschedulable.has(uid)) this.#wakeOne(known, mayHelp)
    }
  }

  remove(uid: string): void {
    this.#take(uid)
  }

  /** A try ended without a node: the Pod waits for something to happen, or for its back-off after an error. */
  rejected(tried: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    const queued = {
      ...tried,
      attempts: tried.attempts + 1,
      rejectedBy,
      since: this.#clock.now(),
      failed: false,
    }
    this.#unschedulable.set(uidOf(queued), queued)
    this.#wake?.()
  }

  /** The try ended in an error that has nothing to do with the Pod. */
  errored(tried: QueuedPod): void {
    const now = this.#clock.now()
    this.#failed.put({
      ...tried,
      attempts: tried.attempts + 1,
      rejectedBy: new Set(),
      since: now,
      failed: true,
    })
    this.#wake?.()
  }

  /** Something happened: Pods that it may help are tried again, after the rest of their back-off. */
  wake(mayHelp: MayHelp): void {
    for (const queued of [...this.#unschedulable.values()]) this.#wakeOne(queued, mayHelp)
    for (const queued of [...this.#gated.values()]) if (mayHelp(queued)) this.add(queued.pod)
  }

  /**
   * The next Pod to try, waiting for one if need be; it is out of the queue then. When nothing else is to be done, one
   * that only backs off is tried early (KEP-5142). Rejects when aborted.
   */
  async next(signal: AbortSignal): Promise<QueuedPod> {
    for (;;) {
      signal.throwIfAborted()
      this.#promote()
      const queued = this.#active.shift() ?? this.#backingOff.shift()
      if (queued) return queued
      await this.#change(signal)
    }
  }

  #wakeOne(queued: QueuedPod, mayHelp: MayHelp): void {
    if (queued.rejectedBy.size > 0 && !mayHelp(queued)) return
    this.#unschedulable.delete(uidOf(queued))
    const holder = this.#holds(queued.pod)
    if (holder !== undefined) {
      this.#gated.set(uidOf(queued), { ...queued, rejectedBy: new Set([holder]) })
      return
    }
    if (backoffEnd(queued) <= this.#clock.now()) this.#activate(queued)
    else {
      this.#backingOff.put(queued)
      this.#wake?.()
    }
  }

  #activate(queued: QueuedPod): void {
    this.#active.put(queued)
    this.#wake?.()
  }

  #find(uid: string): QueuedPod | undefined {
    return (
      this.#active.get(uid) ??
      this.#backingOff.get(uid) ??
      this.#failed.get(uid) ??
      this.#unschedulable.get(uid) ??
      this.#gated.get(uid)
    )
  }

  #take(uid: string): QueuedPod | undefined {
    const found = this.#find(uid)
    if (!found) return undefined
    for (const heap of [this.#active, this.#backingOff, this.#failed]) heap.remove(uid)
    for (const map of [this.#unschedulable, this.#gated]) map.delete(uid)
    return found
  }

  #promote(): void {
    const now = this.#clock.now()
    for (const heap of [this.#backingOff, this.#failed])
      while (heap.first && backoffEnd(heap.first) <= now) this.#active.put(heap.shift()!)
    for (const [uid, queued] of this.#unschedulable) {
      if (queued.since + UNSCHEDULABLE_MAX_MS > now) break
      this.#unschedulable.delete(uid)
      this.#active.put(queued)
    }
  }

  /** Resolves when the queue was touched or the next waiting Pod is due. */
  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = new AbortController()
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#wake = resolve
    const dueAt = this.#nextDue()
    if (dueAt !== undefined)
      this.#clock.sleep(dueAt - this.#clock.now(), timer.signal).then(resolve, () => {})
    try {
      await promise
    } finally {
      this.#wake = undefined
      signal.removeEventListener('abort', onAbort)
      timer.abort('changed')
    }
  }

  #nextDue(): number | undefined {
    const [oldest] = this.#unschedulable.values()
    const due = [
      ...(this.#failed.first ? [backoffEnd(this.#failed.first)] : []),
      ...(oldest ? [oldest.since + UNSCHEDULABLE_MAX_MS] : []),
    ]
    return due.length > 0 ? Math.min(...due) : undefined
  }
}

const backoffEnd = ({ since, attempts }: QueuedPod) => since + backoffMs(attempts)

/** 1 s, 2 s, 4 s … 10 s for 1, 2, 3 … failed tries. */
export function backoffMs(attempts: number): number {
  return attempts === 0 ? 0 : Math.min(BACKOFF_FIRST_MS * 2 ** (attempts - 1), BACKOFF_MAX_MS)
}

/** Upstream: the PrioritySort plugin. */
function isBefore(a: QueuedPod, b: QueuedPod): boolean {
  const byPriority = priorityOf(b.pod) - priorityOf(a.pod)
  return byPriority === 0 ? a.addedAt < b.addedAt : byPriority < 0
}

function endsBefore(a: QueuedPod, b: QueuedPod): boolean {
  const [endA, endB] = [a, b].map(queued => Math.floor(backoffEnd(queued) / BACKOFF_WINDOW_MS))
  return endA === endB ? isBefore(a, b) : endA! < endB!
}
