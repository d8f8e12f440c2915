// A read-only view of what an informer knows: by name, all, or by index.
import type { ObjectMeta } from '../api/types/meta-v1.ts'

/** Keys under which an object is found in an index; none when it is not in it. */
export type Indexer<T> = (object: T) => readonly string[]

/** Objects are frozen in-process: copy before changing. */
export interface Lister<T> {
  /** The newest version known, undefined when there is none. */
  find(name: string, namespace?: string): T | undefined
  /** The same by 'namespace/name' (or 'name'), as queues carry it. */
  findByKey(key: string): T | undefined
  list(namespace?: string): T[]
  /** Objects that the named index has under the key. */
  byIndex(index: string, key: string): T[]
}

/** 'namespace/name', or 'name' for cluster-scoped objects. Upstream: MetaNamespaceKeyFunc. */
export function keyOf({ metadata }: { metadata: Pick<ObjectMeta, 'name' | 'namespace'> }): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name
}

/** Upstream: SplitMetaNamespaceKey. */
export function splitKey(key: string): { name: string; namespace?: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

interface Index<T> {
  keysOf: Indexer<T>
  objects: Map<string, Map<string, T>>
}

/** The namespace is always an index, so that one namespace's objects are not looked for among all. */
const NAMESPACE = 'namespace'

export class IndexedObjects<T extends { metadata: ObjectMeta }> implements Lister<T> {
  readonly #byKey = new Map<string, T>()
  readonly #indices = new Map<string, Index<T>>()

  constructor(indexers: Record<string, Indexer<T>> = {}) {
    const all = { [NAMESPACE]: ({ metadata }: T) => [metadata.namespace ?? ''], ...indexers }
    for (const [name, keysOf] of Object.entries(all)) this.addIndex(name, keysOf)
  }

  /** Objects known already are indexed too. */
  addIndex(name: string, keysOf: Indexer<T>): void {
    if (this.#indices.has(name)) throw new Error(`there is an index "${name}" already`)
    const index: Index<T> = { keysOf, objects: new Map() }
    this.#indices.set(name, index)
    for (const [key, object] of this.#byKey) insert(index, key, object)
  }

  find(name: string, namespace?: string): T | undefined {
    return this.#byKey.get(namespace ? `${namespace}/${name}` : name)
  }

  findByKey(key: string): T | undefined {
    return this.#byKey.get(key)
  }

  list(namespace?: string): T[] {
    return namespace ? this.byIndex(NAMESPACE, namespace) : [...this.#byKey.values()]
  }

  byIndex(name: string, key: string): T[] {
    const index = this.#indices.get(name)
    if (!index) throw new Error(`there is no index "${name}"`)
    return [...(index.objects.get(key)?.values() ?? [])]
  }

  keys(): IterableIterator<string> {
    return this.#byKey.keys()
  }

  /** Returns the version that was there. */
  set(object: T): T | undefined {
    const key = keyOf(object)
    const old = this.#byKey.get(key)
    this.#byKey.set(key, object)
    for (const index of this.#indices.values()) {
      if (old) remove(index, key, old)
      insert(index, key, object)
    }
    return old
  }

  /** Returns the version that was there. */
  delete(key: string): T | undefined {
    const old = this.#byKey.get(key)
    if (!old) return undefined
    this.#byKey.delete(key)
    for (const index of this.#indices.values()) remove(index, key, old)
    return old
  }
}

function insert<T>({ keysOf, objects }: Index<T>, key: string, object: T): void {
  for (const indexKey of keysOf(object)) {
    const same = objects.get(indexKey)
    if (same) same.set(key, object)
    else objects.set(indexKey, new Map([[key, object]]))
  }
}

function remove<T>({ keysOf, objects }: Index<T>, key: string, object: T): void {
  for (const indexKey of keysOf(object)) {
    const same = objects.get(indexKey)
    same?.delete(key)
    if (same?.size === 0) objects.delete(indexKey)
  }
}
