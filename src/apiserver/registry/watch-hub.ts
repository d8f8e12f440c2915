// One subscription to the store per resource, shared by all of its watchers: each change is looked at once and
// handed only to watchers that it may concern. Not a cache: objects are the store's own.

import type { KubeObject, WatchEvent } from '../../api/kube-object.ts'
import { AsyncQueue } from '../../base/async-queue.ts'
import { Compacted, type Storage, type StorageEvent } from '../../storage/storage.ts'
import { watchTooOld } from './resource-version.ts'
import type { Selection } from './selection.ts'
import type { SelectableField } from './strategy.ts'

/** Watchers that start a little in the past are served from here without reading the store's history. */
const RECENT_EVENTS = 1_000
/** A watcher that does not read is closed when this many events wait for it; it will list and watch anew. */
const MAX_BEHIND = 10_000

/** A change with its conversions made at most once, whoever asks. */
export class Change {
  readonly key: string
  readonly revision: number
  readonly current: KubeObject | undefined
  readonly previous: KubeObject | undefined
  #gone: KubeObject | undefined

  constructor(event: Exclude<StorageEvent, { type: 'progress' }>) {
    this.key = event.key
    this.revision = event.revision
    this.current = event.type === 'put' ? event.object : undefined
    this.previous = event.previous
    if (event.type === 'delete') this.#gone = event.object
  }

  /** The last state that was seen, with the revision at which it went out of sight. */
  gone(): KubeObject {
    if (!this.#gone) {
      const { previous, revision } = this
      if (!previous) throw new Error(`${this.key} at ${revision} was created, it cannot go`)
      const metadata = Object.freeze({ ...previous.metadata, resourceVersion: String(revision) })
      this.#gone = Object.freeze({ ...previous, metadata })
    }
    return this.#gone
  }

  /** What a watcher with this selection sees; undefined: nothing. */
  seenBy(selection: Selection): WatchEvent<KubeObject> | undefined {
    const before = this.previous !== undefined && selection.matches(this.previous)
    const now = this.current !== undefined && selection.matches(this.current)
    if (now) return { type: before ? 'MODIFIED' : 'ADDED', object: this.current as KubeObject }
    return before ? { type: 'DELETED', object: this.gone() } : undefined
  }
}

export interface Subscription {
  /** Only changes after this revision. */
  after: number
  prefix: string
  selection: Selection
  bookmarks: boolean
  /** Sent before any change. */
  initial?: readonly WatchEvent<KubeObject>[]
  /** Makes a bookmark at a revision. */
  bookmark: (revision: number) => KubeObject
}

class Watcher {
  readonly queue: AsyncQueue<WatchEvent<KubeObject>>
  readonly subscription: Subscription
  /** Where the next event must lie beyond. */
  revision: number
  readonly #maxBehind: number

  constructor(subscription: Subscription, onReturn: () => void) {
    const { initial = [] } = subscription
    this.subscription = subscription
    this.revision = subscription.after
    this.queue = new AsyncQueue(onReturn)
    this.#maxBehind = MAX_BEHIND + initial.length
    for (const event of initial) this.queue.push(event)
  }

  offer(change: Change): void {
    const { prefix, selection } = this.subscription
    if (change.revision <= this.revision || !change.key.startsWith(prefix)) return
    const event = change.seenBy(selection)
    if (!event) return
    this.revision = change.revision
    this.queue.push(event)
    if (this.queue.length > this.#maxBehind) void this.queue.return()
  }

  progress(revision: number): void {
    if (!this.subscription.bookmarks || revision <= this.revision) return
    this.revision = revision
    this.queue.push({ type: 'BOOKMARK', object: this.subscription.bookmark(revision) })
  }
}

export class WatchHub {
  readonly #storage: Storage
  readonly #prefix: string
  readonly #signal: AbortSignal
  readonly #indexedField: SelectableField | undefined
  /** Changes after this revision are in #recent, up to #seen. */
  #recentAfter = 0
  #seen = 0
  #recent: Change[] = []
  #started = false
  readonly #all = new Set<Watcher>()
  /** Watchers that any change may concern. */
  readonly #broad = new Set<Watcher>()
  readonly #byKey = new Map<string, Set<Watcher>>()
  readonly #byIndex = new Map<string, Set<Watcher>>()

  /** `indexedField` reads the field by which `Selection.indexed` names a value. */
  constructor(storage: Storage, prefix: string, signal: AbortSignal, indexedField?: SelectableField) {
    this.#storage = storage
    this.#prefix = prefix
    this.#signal = signal
    this.#indexedField = indexedField
  }

  /** Events after `subscription.after`, without a gap. Throws Expired when the store has forgotten them. */
  subscribe(subscription: Subscription): AsyncQueue<WatchEvent<KubeObject>> {
    const oldest = this.#storage.compactedRevision()
    if (subscription.after < oldest) throw watchTooOld(subscription.after, oldest)
    this.start()
    return subscription.after < this.#recentAfter ? this.#fromHistory(subscription) : this.#join(subscription)
  }

  #join(subscription: Subscription): AsyncQueue<WatchEvent<KubeObject>> {
    const buckets = this.#bucketsFor(subscription)
    const watcher: Watcher = new Watcher(subscription, () => {
      this.#all.delete(watcher)
      buckets.remove(watcher)
    })
    for (let index = this.#firstRecentAfter(subscription.after); index < this.#recent.length; index++) {
      watcher.offer(this.#recent[index] as Change)
    }
    this.#all.add(watcher)
    buckets.add(watcher)
    return watcher.queue
  }

  #firstRecentAfter(revision: number): number {
    let low = 0
    for (let high = this.#recent.length; low < high; ) {
      const middle = (low + high) >> 1
      if ((this.#recent[middle] as Change).revision <= revision) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Further back than what is kept here: a reader of the store's own history, for this watcher alone. */
  #fromHistory(subscription: Subscription): AsyncQueue<WatchEvent<KubeObject>> {
    const stop = new AbortController()
    const watcher = new Watcher(subscription, () => stop.abort())
    this.#all.add(watcher)
    void this.#pump(watcher, AbortSignal.any([stop.signal, this.#signal])).finally(() =>
      this.#all.delete(watcher),
    )
    return watcher.queue
  }

  async #pump(watcher: Watcher, signal: AbortSignal): Promise<void> {
    const { after, prefix } = watcher.subscription
    try {
      for await (const event of this.#storage.watch(prefix, { after, signal })) {
        if (event.type === 'progress') watcher.progress(event.revision)
        else watcher.offer(new Change(event))
        if (watcher.queue.closed) break
      }
      watcher.queue.close()
    } catch (error) {
      watcher.queue.close(error instanceof Compacted ? watchTooOld(after, error.compactedRevision) : error)
    }
  }

  /** From here on changes are kept for those who will subscribe. Call before a list whose revision one will watch from. */
  start(): void {
    if (this.#started) return
    this.#started = true
    this.#seen = this.#recentAfter = this.#storage.revision()
    void this.#follow()
  }

  async #follow(): Promise<void> {
    const options = { after: this.#seen, signal: this.#signal, maxBehind: Number.POSITIVE_INFINITY }
    let failure: unknown
    try {
      for await (const event of this.#storage.watch(this.#prefix, options)) this.#take(event)
    } catch (error) {
      failure = error
    }
    this.#started = false
    this.#recent = []
    for (const watcher of this.#all) watcher.queue.close(this.#signal.aborted ? undefined : failure)
    this.#all.clear()
    this.#broad.clear()
    this.#byKey.clear()
    this.#byIndex.clear()
  }

  #take(event: StorageEvent): void {
    this.#seen = event.revision
    if (event.type === 'progress') {
      for (const watcher of this.#all) watcher.progress(event.revision)
      return
    }
    const change = new Change(event)
    this.#remember(change)
    for (const watcher of this.#broad) watcher.offer(change)
    for (const watcher of this.#byKey.get(change.key) ?? []) watcher.offer(change)
    if (this.#indexedField && this.#byIndex.size > 0) this.#offerIndexed(change, this.#indexedField)
  }

  #offerIndexed(change: Change, read: SelectableField): void {
    const before = change.previous && read(change.previous)
    const now = change.current && read(change.current)
    if (before !== undefined) for (const watcher of this.#byIndex.get(before) ?? []) watcher.offer(change)
    if (now === undefined || now === before) return
    for (const watcher of this.#byIndex.get(now) ?? []) watcher.offer(change)
  }

  #remember(change: Change): void {
    this.#recent.push(change)
    if (this.#recent.length < 2 * RECENT_EVENTS) return
    const dropped = this.#recent.length - RECENT_EVENTS
    this.#recentAfter = (this.#recent[dropped - 1] as Change).revision
    this.#recent = this.#recent.slice(dropped)
  }

  #bucketsFor({ selection, prefix }: Subscription): {
    add(watcher: Watcher): void
    remove(watcher: Watcher): void
  } {
    if (selection.exactName !== undefined) return bucket(this.#byKey, prefix + selection.exactName)
    if (selection.indexed !== undefined && this.#indexedField) return bucket(this.#byIndex, selection.indexed)
    return { add: watcher => this.#broad.add(watcher), remove: watcher => this.#broad.delete(watcher) }
  }
}

function bucket(map: Map<string, Set<Watcher>>, key: string) {
  return {
    add(watcher: Watcher) {
      const members = map.get(key)
      if (members) members.add(watcher)
      else map.set(key, new Set([watcher]))
    },
    remove(watcher: Watcher) {
      const members = map.get(key)
      members?.delete(watcher)
      if (members?.size === 0) map.delete(key)
    },
  }
}
