// A tiny ApiHandler over a Map for tests of the client: one resource's worth of get, list, watch and writes.
// It is not the API server: no validation, no defaults, no admission, merge patches only.
import type { KubeObject, WatchEvent } from '../api/kube-object.ts'
import type { ApiHandler, ApiRequest, ApiResponse } from '../api/request.ts'
import { alreadyExists, conflict, expired, notFound, StatusError } from '../api/status-error.ts'
import { AsyncQueue } from '../base/async-queue.ts'
import { deepFreeze } from '../base/deep-freeze.ts'

type Change = Exclude<WatchEvent<KubeObject>, { type: 'BOOKMARK' }>

export class MapHandler {
  /** Every request, newest last. */
  readonly requests: ApiRequest[] = []
  /** Thrown by the next requests with this verb, one each. */
  readonly failures: { verb: string; error: Error }[] = []
  readonly #objects = new Map<string, KubeObject>()
  readonly #watchers = new Set<{ request: ApiRequest; queue: AsyncQueue<WatchEvent<KubeObject>> }>()
  #history: { revision: number; key: string; change: Change }[] = []
  #revision = 1
  #forgotten = 0

  readonly handle: ApiHandler = async request => {
    this.requests.push(request)
    const failure = this.failures.findIndex(({ verb }) => verb === request.verb)
    if (failure >= 0) throw this.failures.splice(failure, 1)[0]!.error
    return this.#answer(request)
  }

  get revision(): number {
    return this.#revision
  }

  get watchers(): number {
    return this.#watchers.size
  }

  /** Watches from before now are refused as too old. */
  forgetHistory(): void {
    this.#history = []
    this.#forgotten = this.#revision
  }

  /** Ends every watch, with an error if given. */
  endWatches(error?: unknown): void {
    for (const { queue } of this.#watchers) queue.close(error)
    this.#watchers.clear()
  }

  /** Tells every watch how far it has come. */
  bookmark(): void {
    const metadata = { name: '', uid: '', creationTimestamp: '', resourceVersion: String(this.#revision) }
    for (const { queue } of this.#watchers) {
      queue.push({ type: 'BOOKMARK', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata } })
    }
  }

  #answer(request: ApiRequest): ApiResponse {
    if (request.subresource === 'log') return this.#log(request)
    switch (request.verb) {
      case 'get':
        return ok(this.#get(request))
      case 'list':
        return ok(this.#list(request))
      case 'watch':
        return { kind: 'watch', events: this.#watch(request) }
      case 'create':
        return this.#create(request)
      case 'update':
        return ok(this.#update(request))
      case 'patch':
        return ok(
          this.#put(merge(this.#get(request), request.patch!.document) as KubeObject, 'MODIFIED', request),
        )
      case 'delete':
        return ok(this.#delete(request))
      case 'deletecollection':
        for (const [key, { metadata }] of this.#objects) {
          if (key.startsWith(prefixOf(request))) this.#delete({ ...request, name: metadata.name })
        }
        return ok(this.#list(request))
    }
  }

  #get(request: ApiRequest): KubeObject {
    const found = this.#objects.get(keyOf(request))
    if (!found) throw notFound(request, request.name ?? '')
    return found
  }

  #list(request: ApiRequest): KubeObject {
    const items = [...this.#objects]
      .filter(([key]) => key.startsWith(prefixOf(request)))
      .map(([, object]) => object)
    const metadata = { resourceVersion: String(this.#revision) }
    return { apiVersion: 'v1', kind: 'ConfigMapList', metadata, items } as unknown as KubeObject
  }

  #create(request: ApiRequest): ApiResponse {
    const object = request.body as KubeObject
    const key = { ...request, name: object.metadata.name }
    if (this.#objects.has(keyOf(key))) throw alreadyExists(request, object.metadata.name)
    if (request.options?.dryRun)
      return { kind: 'object', code: 201, object, warnings: ['nothing "was" done', 'twice'] }
    return { kind: 'object', code: 201, object: this.#put(object, 'ADDED', key) }
  }

  #update(request: ApiRequest): KubeObject {
    const object = request.body as KubeObject
    const { resourceVersion } = object.metadata
    if (resourceVersion && resourceVersion !== this.#get(request).metadata.resourceVersion) {
      throw conflict(request, request.name ?? '')
    }
    return this.#put(object, 'MODIFIED', request)
  }

  #delete(request: ApiRequest): KubeObject {
    const old = this.#get(request)
    const { uid } = request.deleteOptions?.preconditions ?? {}
    if (uid !== undefined && uid !== old.metadata.uid)
      throw conflict(request, request.name ?? '', 'other uid')
    this.#objects.delete(keyOf(request))
    return this.#publish(old, 'DELETED', request)
  }

  #put(object: KubeObject, type: Change['type'], request: ApiRequest): KubeObject {
    const metadata = { ...object.metadata, uid: object.metadata.uid ?? 'uid', namespace: request.namespace }
    const stored = this.#publish(
      { ...object, apiVersion: 'v1', kind: 'ConfigMap', metadata } as KubeObject,
      type,
      request,
    )
    this.#objects.set(keyOf(request), stored)
    return stored
  }

  #publish(object: KubeObject, type: Change['type'], request: ApiRequest): KubeObject {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#revision) }
    const stamped = deepFreeze({ ...object, metadata })
    const entry = { revision: this.#revision, key: keyOf(request), change: { type, object: stamped } }
    this.#history.push(entry)
    for (const { request: watch, queue } of this.#watchers) {
      if (entry.key.startsWith(prefixOf(watch))) queue.push(entry.change)
    }
    return stamped
  }

  #watch(request: ApiRequest): AsyncIterable<WatchEvent<KubeObject>> {
    const after = Number(request.options?.resourceVersion ?? this.#revision)
    if (after < this.#forgotten) throw expired(`too old resource version: ${after} (${this.#forgotten})`)
    const watcher = {
      request,
      queue: new AsyncQueue<WatchEvent<KubeObject>>(() => this.#watchers.delete(watcher)),
    }
    for (const { revision, key, change } of this.#history) {
      if (revision > after && key.startsWith(prefixOf(request))) watcher.queue.push(change)
    }
    this.#watchers.add(watcher)
    request.signal?.addEventListener('abort', () => {
      watcher.queue.close()
      this.#watchers.delete(watcher)
    })
    return watcher.queue
  }

  #log({ query, signal }: ApiRequest): ApiResponse {
    async function* body() {
      yield Buffer.from(`container ${String(query?.container)}\n`)
      if (query?.follow === 'true') await new Promise(resolve => signal?.addEventListener('abort', resolve))
    }
    return { kind: 'stream', contentType: 'text/plain', body: body() }
  }
}

/** A failure as a server tells it. */
export function serverError(code: number, reason: string): StatusError {
  return new StatusError({ code, reason, message: `${reason} on purpose` })
}

const ok = (object: KubeObject): ApiResponse => ({ kind: 'object', code: 200, object })
const prefixOf = ({ group, resource, namespace }: ApiRequest) =>
  `${group}/${resource}/${namespace ? `${namespace}/` : ''}`
const keyOf = (request: ApiRequest) => prefixOf(request) + (request.name ?? '')

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged: Record<string, unknown> = { ...(target as Record<string, unknown>) }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = merge(merged[name], value)
  }
  return merged
}
