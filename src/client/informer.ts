// Keeps a copy of a resource's objects current by list and watch, and tells handlers what changes.
// Behaves as client-go's Reflector and SharedInformer; it never writes and holds no resync timer.
import type { Resource, WatchEvent } from '../api/kube-object.ts'
import { isExpired, isTooManyRequests, StatusError } from '../api/status-error.ts'
import type { ObjectMeta } from '../api/types/meta-v1.ts'
import { type BackoffState, nextBackoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from './client.ts'
import { IndexedObjects, type Indexer, keyOf, type Lister } from './lister.ts'

export interface InformerOptions<T> {
  client: Client
  resource: Resource<T>
  clock: Clock
  log: Log
  /** Left out: all namespaces. */
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  indexers?: Record<string, Indexer<T>>
  /** From 0 to below 1: spreads retries and the ends of watches. Default: Math.random. */
  random?: () => number
}

/** Called one after the other, in the order of changes, when the lister knows already. Must not block or throw. */
export interface InformerHandler<T> {
  /** `initial`: it existed when the handler was added or the first list was made. */
  add?(object: T, initial: boolean): void
  /** Not called for a version that is known already. */
  update?(old: T, object: T): void
  /** The last state; after a gap in the watch it may be older than that. */
  delete?(object: T): void
}

/** Upstream: reflector.go's back-off manager. */
const RETRY = { initialMs: 800, maxMs: 30_000, resetAfterMs: 120_000, jitterFactor: 1 }
/** Watches end after this long at least, and at most twice that. Upstream: minWatchTimeout. */
const LEAST_WATCH_SECONDS = 300
/** A watch that ends sooner and without an event counts as failed. */
const SHORT_WATCH_MS = 1_000

export class Informer<T extends { metadata: ObjectMeta }> {
  readonly #options: InformerOptions<T>
  readonly #random: () => number
  readonly #objects: IndexedObjects<T>
  readonly #handlers = new Set<InformerHandler<T>>()
  readonly #synced = Promise.withResolvers<void>()
  #isSynced = false
  /** Where the next watch starts; undefined when a list has to come first. */
  #resourceVersion: string | undefined
  #backoff: BackoffState | undefined

  constructor(options: InformerOptions<T>) {
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#objects = new IndexedObjects(options.indexers)
  }

  /** Resolves when the first list is in the lister and was told to handlers; never rejects. */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  get isSynced(): boolean {
    return this.#isSynced
  }

  get lister(): Lister<T> {
    return this.#objects
  }

  addIndex(name: string, keysOf: Indexer<T>): void {
    this.#objects.addIndex(name, keysOf)
  }

  /** Objects known already are told at once. Returns how to remove the handler. */
  addHandler(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler)
    for (const object of this.#objects.list()) this.#tell(handler, one => one.add?.(object, true))
    return () => this.#handlers.delete(handler)
  }

  /** Resolves when the signal aborts; failures are retried with back-off for ever. Run it once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#list(signal)
        else await this.#watch(signal)
      } catch (error) {
        if (signal.aborted) return
        await this.#recover(error, signal)
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, resource } = this.#options
    const { items, metadata } = await client.list(resource, { ...this.#scope(), signal })
    this.#replace(items)
    this.#resourceVersion = metadata.resourceVersion
    if (this.#isSynced) return
    this.#isSynced = true
    this.#synced.resolve()
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, resource, clock } = this.#options
    const startedAt = clock.now()
    let seen = 0
    const events = client.watch(resource, {
      ...this.#scope(),
      resourceVersion: this.#resourceVersion!,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.floor(LEAST_WATCH_SECONDS * (1 + this.#random())),
      signal,
    })
    for await (const event of events) {
      if (signal.aborted) return
      seen++
      this.#apply(event)
    }
    if (seen === 0 && !signal.aborted && clock.now() - startedAt < SHORT_WATCH_MS) {
      throw new Error('very short watch: it ended unexpectedly without an event')
    }
  }

  /**
   * What is too old is listed anew at once. A server that was not reached or has too much to do is watched on from
   * where the last watch ended; after any other failure the list comes first.
   */
  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { resource, clock, log } = this.#options
    if (isExpired(error)) {
      const relist = this.#resourceVersion !== undefined
      this.#resourceVersion = undefined
      log.debug({ resource: resource.resource }, 'the watch is too old; listing again')
      if (relist) return
    } else {
      log.warn({ resource: resource.resource, error }, 'list or watch failed; trying again')
      if (error instanceof StatusError && !isTooManyRequests(error)) this.#resourceVersion = undefined
    }
    this.#backoff = nextBackoff(this.#backoff, RETRY, { failedAt: clock.now(), random: this.#random() })
    await clock.sleep(this.#backoff.delayMs, signal).catch(() => {})
  }

  #apply({ type, object }: WatchEvent<T>): void {
    if (type === 'ADDED' || type === 'MODIFIED') this.#set(object, false)
    else if (type === 'DELETED') this.#delete(keyOf(object), object)
    this.#resourceVersion = object.metadata.resourceVersion
  }

  /** Makes the list's items the only ones, telling the differences. */
  #replace(items: readonly T[]): void {
    const gone = new Set(this.#objects.keys())
    for (const item of items) {
      gone.delete(keyOf(item))
      this.#set(item, !this.#isSynced)
    }
    for (const key of gone) this.#delete(key)
  }

  #set(object: T, initial: boolean): void {
    const old = this.#objects.set(object)
    if (!old) this.#tellAll(handler => handler.add?.(object, initial))
    else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
      this.#tellAll(handler => handler.update?.(old, object))
    }
  }

  #delete(key: string, last?: T): void {
    const old = this.#objects.delete(key)
    if (old) this.#tellAll(handler => handler.delete?.(last ?? old))
  }

  #tellAll(call: (handler: InformerHandler<T>) => void): void {
    for (const handler of this.#handlers) this.#tell(handler, call)
  }

  #tell(handler: InformerHandler<T>, call: (handler: InformerHandler<T>) => void): void {
    try {
      call(handler)
    } catch (error) {
      this.#options.log.error(
        { resource: this.#options.resource.resource, error },
        'an informer handler threw',
      )
    }
  }

  #scope(): { namespace?: string; labelSelector?: string; fieldSelector?: string } {
    const { namespace, labelSelector, fieldSelector } = this.#options
    return {
      ...(namespace && { namespace }),
      ...(labelSelector && { labelSelector }),
      ...(fieldSelector && { fieldSelector }),
    }
  }
}
