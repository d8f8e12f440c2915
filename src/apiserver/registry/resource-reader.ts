// Lists and watches of one resource: selectors, pages, and the meanings of resourceVersion.
// Upstream: etcd3/store.go GetList, cacher.go Watch.

import type { KubeList, KubeObject, WatchEvent } from '../../api/kube-object.ts'
import type { RequestOptions } from '../../api/request.ts'
import { expired, StatusError } from '../../api/status-error.ts'
import type { AsyncQueue } from '../../base/async-queue.ts'
import type { Clock } from '../../base/clock.ts'
import { Compacted, FutureRevision, type Storage } from '../../storage/storage.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import type { ResourceStore } from './resource-store.ts'
import { checkListOptions, listTooOld, parseResourceVersion, tooLarge } from './resource-version.ts'
import { makeSelection, type Selection } from './selection.ts'
import { WatchHub } from './watch-hub.ts'

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

const TOKEN_TOO_OLD =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

interface Page {
  items: KubeObject[]
  revision: number
  /** Objects after this page, as far as known. */
  remaining: number
  lastKey: string | undefined
}

export class ResourceReader {
  readonly #store: ResourceStore
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #hub: WatchHub

  constructor(store: ResourceStore, storage: Storage, clock: Clock, signal: AbortSignal) {
    const { indexedField, selectableFields } = store.strategy
    this.#store = store
    this.#storage = storage
    this.#clock = clock
    this.#hub = new WatchHub(
      storage,
      store.prefix,
      signal,
      indexedField ? selectableFields[indexedField] : undefined,
    )
  }

  /** `namespace` undefined: all. */
  async list(namespace: string | undefined, options: RequestOptions): Promise<KubeList<KubeObject>> {
    checkListOptions(options, false)
    const selection = this.#select(namespace, options)
    const prefix = this.#prefix(namespace)
    const limit = options.limit && options.limit > 0 ? options.limit : undefined
    const from = this.#startOf(options, limit)
    const page = await this.#readPage(prefix, selection, limit, from)
    const hasMore = page.lastKey !== undefined && page.remaining > 0
    return {
      kind: `${this.#store.info.kind}List`,
      apiVersion: groupVersion(this.#store.info),
      metadata: {
        resourceVersion: String(page.revision),
        ...(hasMore && {
          continue: encodeContinue({ revision: page.revision, after: page.lastKey!.slice(prefix.length) }),
          ...(selection.isEverything && { remainingItemCount: page.remaining }),
        }),
      },
      items: page.items,
    }
  }

  /** Where the request wants the list to be read: at one revision exactly, or now. */
  #startOf(
    options: RequestOptions,
    limit: number | undefined,
  ): { after?: string; revision?: number; isToken: boolean } {
    if (options.continue) {
      const { revision, after } = decodeContinue(options.continue)
      return { after, ...(revision > 0 && { revision }), isToken: true }
    }
    const asked = parseResourceVersion(options.resourceVersion)
    if (!asked) return { isToken: false }
    // Upstream keeps an old habit: with a limit and no match rule, a revision means exactly that one.
    const exact =
      options.resourceVersionMatch === 'Exact' || (!options.resourceVersionMatch && limit !== undefined)
    if (asked > this.#storage.revision()) throw tooLarge(asked, this.#storage.revision())
    return exact ? { revision: asked, isToken: false } : { isToken: false }
  }

  async #readPage(
    prefix: string,
    selection: Selection,
    limit: number | undefined,
    from: { after?: string; revision?: number; isToken: boolean },
  ): Promise<Page> {
    if (selection.exactName !== undefined && from.revision === undefined)
      return this.#readOne(prefix, selection)
    const page: Page = { items: [], revision: from.revision ?? 0, remaining: 0, lastKey: undefined }
    let after = from.after === undefined ? undefined : prefix + from.after
    do {
      const wanted = limit === undefined ? undefined : limit - page.items.length
      const { items, revision, remaining } = await this.#read(
        prefix,
        {
          ...(wanted !== undefined && { limit: wanted }),
          ...(after !== undefined && { after }),
          ...(page.revision > 0 && { revision: page.revision }),
        },
        from,
      )
      page.revision = revision
      page.remaining = remaining
      for (const { object } of items)
        if (selection.isEverything || selection.matches(object)) page.items.push(object)
      page.lastKey = after = items.at(-1)?.key
    } while (limit !== undefined && page.items.length < limit && page.remaining > 0)
    return page
  }

  #readOne(prefix: string, selection: Selection): Page {
    const revision = this.#storage.revision()
    const found = this.#storage.get(prefix + selection.exactName)?.object
    return {
      items: found && selection.matches(found) ? [found] : [],
      revision,
      remaining: 0,
      lastKey: undefined,
    }
  }

  async #read(
    prefix: string,
    options: { limit?: number; after?: string; revision?: number },
    from: { isToken: boolean },
  ) {
    try {
      return await this.#storage.list(prefix, options)
    } catch (error) {
      if (error instanceof FutureRevision) throw tooLarge(options.revision ?? 0, error.current)
      if (!(error instanceof Compacted)) throw error
      if (!from.isToken) throw listTooOld()
      const status = expired(TOKEN_TOO_OLD).status
      const token = encodeContinue({ revision: -1, after: (options.after ?? prefix).slice(prefix.length) })
      throw new StatusError({ ...status, metadata: { continue: token } })
    }
  }

  /** Ends with the signal, after `timeoutSeconds`, or when the consumer stops reading. */
  async watch(
    namespace: string | undefined,
    options: RequestOptions,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterableIterator<WatchEvent<KubeObject>>> {
    checkListOptions(options, true)
    const selection = this.#select(namespace, options)
    const prefix = this.#prefix(namespace)
    const asked = parseResourceVersion(options.resourceVersion)
    const current = this.#storage.revision()
    if (asked && asked > current) throw tooLarge(asked, current)
    this.#hub.start()
    const { initial, after } = await this.#initialEvents(prefix, selection, options, asked)
    const events = this.#hub.subscribe({
      prefix,
      selection,
      after,
      initial,
      bookmarks: options.allowWatchBookmarks === true,
      bookmark: revision => this.#bookmark(revision),
    })
    this.#endWith(events, options.timeoutSeconds, signal)
    return events
  }

  async #initialEvents(
    prefix: string,
    selection: Selection,
    options: RequestOptions,
    asked: number | undefined,
  ): Promise<{ initial: WatchEvent<KubeObject>[]; after: number }> {
    const wanted = options.sendInitialEvents ?? !asked
    if (!wanted) return { initial: [], after: asked || this.#storage.revision() }
    const { items, revision } = await this.#readPage(prefix, selection, undefined, { isToken: false })
    const initial: WatchEvent<KubeObject>[] = items.map(object => ({ type: 'ADDED', object }))
    if (options.sendInitialEvents && options.allowWatchBookmarks) {
      initial.push({ type: 'BOOKMARK', object: this.#bookmark(revision, { [INITIAL_EVENTS_END]: 'true' }) })
    }
    return { initial, after: revision }
  }

  #endWith(
    events: AsyncQueue<WatchEvent<KubeObject>>,
    timeoutSeconds: number | undefined,
    signal?: AbortSignal,
  ): void {
    const end = () => void events.return()
    if (signal?.aborted) end()
    signal?.addEventListener('abort', end, { once: true })
    if (timeoutSeconds) this.#clock.sleep(timeoutSeconds * 1000, signal).then(end, () => {})
  }

  #bookmark(revision: number, annotations?: Record<string, string>): KubeObject {
    const { info } = this.#store
    // A bookmark is a whole object of the kind upstream, with empty fields; clients read only its metadata.
    const metadata = {
      resourceVersion: String(revision),
      ...(annotations && { annotations }),
    } as KubeObject['metadata']
    return { kind: info.kind, apiVersion: groupVersion(info), metadata }
  }

  #select(namespace: string | undefined, options: RequestOptions): Selection {
    const { info, strategy } = this.#store
    return makeSelection(options, info, strategy, namespace)
  }

  #prefix(namespace: string | undefined): string {
    const { prefix, info } = this.#store
    return info.namespaced && namespace !== undefined ? `${prefix}${namespace}/` : prefix
  }
}

export function groupVersion({ group, version }: { group: string; version: string }): string {
  return group ? `${group}/${version}` : version
}
