// What a store promises. Implementations: memory/, lmdb/ (and later etcd/); each runs contract.ts.
// Semantics follow etcd v3 as Kubernetes uses it: one revision counter for the whole store, every
// successful write takes the next revision, history can be read and watched until it is compacted.
import type { KubeObject } from '../api/kube-object.ts'

/**
 * A stored object. `object` is deep-frozen and its metadata.resourceVersion is String(revision):
 * the store stamps it. Every reader gets the same instance.
 */
export interface Stored {
  key: string
  object: KubeObject
  /** Revision of the write that made this version (etcd: mod_revision). */
  revision: number
}

export type StorageEvent =
  | { type: 'put'; key: string; revision: number; object: KubeObject; previous: KubeObject | undefined }
  /** `object` is the last state, stamped with the revision of the delete. */
  | { type: 'delete'; key: string; revision: number; object: KubeObject; previous: KubeObject }
  /** Nothing under the prefix is missing up to this revision. Sent on request of `progress`. */
  | { type: 'progress'; revision: number }

export interface ListResult {
  items: Stored[]
  /** The revision at which the list is true. */
  revision: number
  /** Items left after this page; 0 at the end. */
  remaining: number
}

export interface ListOptions {
  /** At most this many items, in key order. */
  limit?: number
  /** Only keys greater than this one (the last key of the page before). */
  after?: string
  /** As the store was at this revision; throws Compacted or FutureRevision. Default: now. */
  revision?: number
}

/** What a conditional write found instead of what it expected. */
export type WriteResult =
  | { ok: true; stored: Stored }
  /** `current` is what stands there, undefined when nothing does. */
  | { ok: false; current: Stored | undefined }

/**
 * A write is acknowledged (its promise resolves) only when it is durable, as far as the store is durable at all,
 * and only then do readers and watchers see it. Writes are ordered: a later write to the same key, made before the
 * first is acknowledged, is judged against the first one's result. A store that can no longer write calls
 * `onFatal` given at construction; it never acknowledges and then forgets.
 */
export interface Storage {
  /** The newest acknowledged revision; 1 in an empty store. */
  revision(): number
  /** Revisions up to and including this one are compacted; 0 when none. */
  compactedRevision(): number

  /** Newest acknowledged version, from memory. */
  get(key: string): Stored | undefined
  list(prefix: string, options?: ListOptions): Promise<ListResult>
  count(prefix: string): number

  create(key: string, object: KubeObject): Promise<WriteResult>
  /** Replaces the version with exactly `revision`. */
  update(key: string, object: KubeObject, revision: number): Promise<WriteResult>
  /** Removes the version with exactly `revision`. `stored.object` of the result is the removed state, stamped with the delete's revision. */
  delete(key: string, revision: number): Promise<WriteResult>

  /**
   * Every change under the prefix with a revision greater than `after`, in order, without a gap: first
   * from history, then live. Throws Compacted (from the first read) when history does not reach back that far.
   * Ends when the signal aborts or the store closes. A consumer that stops reading does not stop others; one that
   * falls more than `maxBehind` events behind (default 10,000) is closed with SlowConsumer.
   */
  watch(
    prefix: string,
    options: { after: number; signal: AbortSignal; maxBehind?: number },
  ): AsyncIterable<StorageEvent>
  /** Makes every watch send a progress event with the current revision, after what it has queued. */
  progress(): void

  /** Forgets history up to and including the revision; current versions stay. */
  compact(revision: number): Promise<void>
  close(): Promise<void>
}

/** Upstream: etcd's ErrCompacted, apimachinery's 410 "Expired". */
export class Compacted extends Error {
  readonly compactedRevision: number
  constructor(compactedRevision: number) {
    super(`required revision has been compacted (up to ${compactedRevision})`)
    this.name = 'Compacted'
    this.compactedRevision = compactedRevision
  }
}

export class FutureRevision extends Error {
  readonly current: number
  constructor(requested: number, current: number) {
    super(`revision ${requested} is in the future; the store is at ${current}`)
    this.name = 'FutureRevision'
    this.current = current
  }
}

export class SlowConsumer extends Error {
  constructor() {
    super('the watcher does not keep up and was closed')
    this.name = 'SlowConsumer'
  }
}
