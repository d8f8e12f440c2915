// The store's semantics, the same for every implementation: current versions and recent history live in
// memory, a journal makes writes durable. What is not durable yet is seen by nobody but later writes.
import type { KubeObject } from '../api/kube-object.ts'
import { deepFreeze } from '../base/deep-freeze.ts'
import { EventLog } from './event-log.ts'
import type { Change, Journal } from './journal.ts'
import { KeyIndex } from './key-index.ts'
import { listAt } from './list-at.ts'
import {
  Compacted,
  FutureRevision,
  type ListOptions,
  type ListResult,
  type Storage,
  type StorageEvent,
  type Stored,
  type WriteResult,
} from './storage.ts'
import { Watch, Watches } from './watch.ts'

/** The revision of a store that nothing was ever written to, as in etcd. */
const FIRST_REVISION = 1
const DEFAULT_MAX_BEHIND = 10_000

/** What a journal found when it was opened. */
export interface Loaded {
  current: Iterable<Stored>
  revision: number
  compactedRevision: number
}

export interface JournaledStorageOptions {
  journal: Journal
  loaded?: Loaded
  /** How many changes of history are kept in memory; the journal must have older ones. Default: all. */
  historyInMemory?: number
  /** Called once when the journal fails: nothing can be written any more. */
  onFatal?: (error: unknown) => void
}

interface PendingWrite {
  change: Change
  /** What stands at the key when this write is acknowledged. */
  after: Stored | undefined
  durable: boolean
  done: PromiseWithResolvers<WriteResult>
}

export class JournaledStorage implements Storage {
  readonly #journal: Journal
  readonly #onFatal: (error: unknown) => void
  readonly #current: KeyIndex<Stored>
  readonly #log: EventLog
  readonly #watches = new Watches()
  #revision: number
  #compacted: number
  /** Revision of the newest write that was accepted, acknowledged or not. */
  #assigned: number
  /** Accepted writes that are not acknowledged, oldest first, and the newest one of each key. */
  #pending: PendingWrite[] = []
  readonly #pendingByKey = new Map<string, PendingWrite>()
  /** Why nothing can be written any more: closed or failed. */
  #stopped: Error | undefined
  #failed: Error | undefined
  #closing: Promise<void> | undefined

  constructor({ journal, loaded, historyInMemory, onFatal }: JournaledStorageOptions) {
    this.#journal = journal
    this.#onFatal = onFatal ?? (() => {})
    this.#current = new KeyIndex(loaded?.current)
    this.#revision = loaded?.revision ?? FIRST_REVISION
    this.#assigned = this.#revision
    this.#compacted = loaded?.compactedRevision ?? 0
    this.#log = new EventLog(this.#revision, historyInMemory)
  }

  revision(): number {
    return this.#revision
  }

  compactedRevision(): number {
    return this.#compacted
  }

  get(key: string): Stored | undefined {
    return this.#current.get(key)
  }

  count(prefix: string): number {
    return this.#current.count(prefix)
  }

  async list(prefix: string, { limit, after, revision }: ListOptions = {}): Promise<ListResult> {
    if (revision !== undefined && revision > this.#revision)
      throw new FutureRevision(revision, this.#revision)
    if (revision !== undefined && revision < this.#revision) {
      const since = this.#history(revision, this.#revision, Number.POSITIVE_INFINITY)
      return { ...listAt(this.#current, since, prefix, { limit, after }), revision }
    }
    const items = this.#current.slice(prefix, after, limit)
    const remaining = limit === undefined ? 0 : this.#current.count(prefix, after) - items.length
    return { items, revision: this.#revision, remaining }
  }

  create(key: string, object: KubeObject): Promise<WriteResult> {
    return this.#write(
      key,
      current => current === undefined,
      (_, revision) => ({ type: 'put', key, revision, object: stamp(object, revision), previous: undefined }),
    )
  }

  update(key: string, object: KubeObject, expected: number): Promise<WriteResult> {
    return this.#write(
      key,
      current => current?.revision === expected,
      (current, revision) => ({
        type: 'put',
        key,
        revision,
        object: stamp(object, revision),
        previous: current?.object,
      }),
    )
  }

  delete(key: string, expected: number): Promise<WriteResult> {
    return this.#write(
      key,
      current => current?.revision === expected,
      (current, revision) => {
        const previous = current!.object
        return { type: 'delete', key, revision, object: stamp(previous, revision), previous }
      },
    )
  }

  watch(
    prefix: string,
    {
      after,
      signal,
      maxBehind = DEFAULT_MAX_BEHIND,
    }: { after: number; signal: AbortSignal; maxBehind?: number },
  ): AsyncIterable<StorageEvent> {
    const stop = () => {
      watch.end()
      this.#watches.remove(watch)
    }
    const forget = () => {
      this.#watches.remove(watch)
      signal.removeEventListener('abort', stop)
    }
    const source = { history: this.#history.bind(this) }
    const watch = new Watch(source, { prefix, after, through: this.#revision, maxBehind, onReturn: forget })
    if (signal.aborted || this.#closing) {
      watch.end()
      return watch
    }
    signal.addEventListener('abort', stop, { once: true })
    this.#watches.add(watch)
    return watch
  }

  progress(): void {
    this.#watches.progress(this.#revision)
  }

  async compact(revision: number): Promise<void> {
    if (revision > this.#revision) throw new FutureRevision(revision, this.#revision)
    if (revision <= this.#compacted) return
    this.#compacted = revision
    this.#log.trim(revision)
    try {
      await this.#journal.compact(revision)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  /** Waits for the writes that are under way, ends every watch, and closes the journal. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stopped ??= new Error('the store is closed')
    await Promise.allSettled(this.#pending.map(({ done }) => done.promise))
    this.#watches.endAll()
    await this.#journal.close()
  }

  /** Judges a write against what stands at the key once all writes before it are acknowledged. */
  #write(
    key: string,
    expected: (current: Stored | undefined) => boolean,
    change: (current: Stored | undefined, revision: number) => Change,
  ): Promise<WriteResult> {
    if (this.#stopped) return Promise.reject(this.#stopped)
    const before = this.#pendingByKey.get(key)
    const current = before ? before.after : this.#current.get(key)
    if (!expected(current)) {
      const refused: WriteResult = { ok: false, current }
      // The result may tell of a write that is not acknowledged yet: it has to wait for it.
      return before ? before.done.promise.then(() => refused) : Promise.resolve(refused)
    }
    return this.#accept(change(current, ++this.#assigned))
  }

  #accept(change: Change): Promise<WriteResult> {
    const { key, object, revision } = change
    const after = change.type === 'put' ? { key, object, revision } : undefined
    let appended: Promise<void>
    try {
      appended = this.#journal.append(change)
    } catch (error) {
      this.#assigned--
      return Promise.reject(error)
    }
    const write: PendingWrite = { change, after, durable: false, done: Promise.withResolvers() }
    this.#pending.push(write)
    this.#pendingByKey.set(key, write)
    appended.then(
      () => {
        write.durable = true
        this.#acknowledge()
      },
      (error: unknown) => this.#fail(error),
    )
    return write.done.promise
  }

  /** Shows durable writes to readers and watchers, in order, and then tells their writers. */
  #acknowledge(): void {
    if (!this.#pending[0]?.durable) return
    const undurable = this.#pending.findIndex(write => !write.durable)
    const ready = undurable < 0 ? this.#pending : this.#pending.slice(0, undurable)
    this.#pending = undurable < 0 ? [] : this.#pending.slice(undurable)
    for (const { change, after, done } of ready) {
      const { key, object, revision } = change
      if (this.#pendingByKey.get(key)?.change === change) this.#pendingByKey.delete(key)
      if (after) this.#current.set(after)
      else this.#current.delete(key)
      this.#revision = revision
      this.#log.append(change)
      this.#watches.publish(change)
      done.resolve({ ok: true, stored: after ?? { key, object, revision } })
    }
  }

  #fail(cause: unknown): void {
    const first = this.#failed === undefined
    this.#failed ??= new Error('the store cannot write any more', { cause })
    this.#stopped = this.#failed
    for (const { done } of this.#pending) done.reject(this.#failed)
    this.#pending = []
    this.#pendingByKey.clear()
    if (first) this.#onFatal(cause)
  }

  #history(after: number, through: number, limit: number): Change[] {
    if (after < this.#compacted) throw new Compacted(this.#compacted)
    if (after >= this.#log.from) return this.#log.read(after, through, limit)
    const old = this.#journal.read(after, Math.min(through, this.#log.from), limit)
    if (old.length >= limit || through <= this.#log.from) return old
    return [...old, ...this.#log.read(this.#log.from, through, limit - old.length)]
  }
}

function stamp(object: KubeObject, revision: number): KubeObject {
  return deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } })
}
