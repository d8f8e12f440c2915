// A tiny ApiHandler over a Map, to test the HTTP side by itself. It keeps no history and validates nothing.
import type { KubeObject, WatchEvent } from '../../api/kube-object.ts'
import type { ApiHandler, ApiRequest, ApiResponse } from '../../api/request.ts'
import { builtinResources } from '../../api/resources.ts'
import { alreadyExists, conflict, notFound } from '../../api/status-error.ts'
import { AsyncQueue } from '../../base/async-queue.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'

interface Watcher {
  queue: AsyncQueue<WatchEvent<KubeObject>>
  matches: (key: string) => boolean
}

export class MapBackedHandler {
  readonly #objects = new Map<string, KubeObject>()
  readonly #watchers = new Set<Watcher>()
  #revision = 1
  /** The requests seen, newest last. */
  readonly requests: ApiRequest[] = []

  get watcherCount(): number {
    return this.#watchers.size
  }

  readonly handle: ApiHandler = async request => {
    this.requests.push(request)
    switch (request.verb) {
      case 'get':
        return answer(this.#get(request))
      case 'list':
        return answer(this.#list(request))
      case 'watch':
        return this.#watch(request)
      case 'create':
        return { ...answer(this.#create(request)), code: 201 }
      case 'update':
        return answer(this.#update(request))
      case 'patch':
        return answer(this.#patch(request))
      case 'delete':
        return answer(this.#delete(request))
      case 'deletecollection':
        return answer(this.#list(request))
    }
  }

  find(group: string, resource: string, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${group}/${resource}/${namespace ? `${namespace}/` : ''}${name}`)
  }

  #get(request: ApiRequest): KubeObject {
    const found = this.#objects.get(keyOf(request))
    if (!found) throw notFound(request, request.name ?? '')
    return found
  }

  #list(request: ApiRequest): KubeObject {
    const { group, version } = request
    const items = [...this.#objects]
      .filter(([key]) => key.startsWith(prefixOf(request)))
      .map(([, item]) => item)
    const metadata = { resourceVersion: String(this.#revision) } as KubeObject['metadata']
    return {
      kind: `${kindOf(request)}List`,
      apiVersion: group ? `${group}/${version}` : version,
      metadata,
      items,
    }
  }

  #watch(request: ApiRequest): ApiResponse {
    const queue = new AsyncQueue<WatchEvent<KubeObject>>(() => this.#watchers.delete(watcher))
    const watcher = { queue, matches: (key: string) => key.startsWith(prefixOf(request)) }
    this.#watchers.add(watcher)
    request.signal?.addEventListener('abort', () => {
      queue.close()
      this.#watchers.delete(watcher)
    })
    return { kind: 'watch', events: queue }
  }

  #create(request: ApiRequest): KubeObject {
    const draft = request.body as KubeObject
    const key = keyOf({ ...request, name: draft.metadata.name })
    if (this.#objects.has(key)) throw alreadyExists(request, draft.metadata.name)
    return this.#store(key, 'ADDED', { ...draft, metadata: { ...draft.metadata, ...created(request) } })
  }

  #update(request: ApiRequest): KubeObject {
    const old = this.#get(request)
    const draft = request.body as KubeObject
    const stale =
      draft.metadata.resourceVersion && draft.metadata.resourceVersion !== old.metadata.resourceVersion
    if (stale) throw conflict(request, old.metadata.name)
    return this.#store(keyOf(request), 'MODIFIED', draft)
  }

  #patch(request: ApiRequest): KubeObject {
    const old = this.#get(request)
    return this.#store(keyOf(request), 'MODIFIED', merge(old, request.patch?.document) as KubeObject)
  }

  #delete(request: ApiRequest): KubeObject {
    const old = this.#get(request)
    this.#objects.delete(keyOf(request))
    this.#revision++
    this.#notify(keyOf(request), { type: 'DELETED', object: old })
    return old
  }

  #store(key: string, type: 'ADDED' | 'MODIFIED', object: KubeObject): KubeObject {
    const resourceVersion = String(++this.#revision)
    const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion } })
    this.#objects.set(key, stored)
    this.#notify(key, { type, object: stored })
    return stored
  }

  #notify(key: string, event: WatchEvent<KubeObject>): void {
    for (const { queue, matches } of this.#watchers) if (matches(key)) queue.push(event)
  }
}

function answer(object: KubeObject): ApiResponse & { kind: 'object' } {
  return { kind: 'object', code: 200, object }
}

function prefixOf({ group, resource, namespace }: ApiRequest): string {
  return `${group}/${resource}/${namespace ? `${namespace}/` : ''}`
}

function keyOf(request: ApiRequest): string {
  return `${prefixOf(request)}${request.name}`
}

function kindOf({ group, version, resource }: ApiRequest): string {
  const matches = (entry: { group: string; version: string; resource: string }) =>
    entry.group === group && entry.version === version && entry.resource === resource
  return builtinResources.find(matches)?.kind ?? ''
}

function created({ namespace }: ApiRequest) {
  return {
    uid: '2d1f5f4e-0000-4000-8000-000000000001',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(namespace && { namespace }),
  }
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {}
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merge(result[key], value)
  }
  return result
}
