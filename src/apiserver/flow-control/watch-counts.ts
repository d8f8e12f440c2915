// How many clients watch what, to guess how many a write has to be told to. Watches of this process's own parts get the
// stored object itself and cost nothing; they are not counted. Upstream: pkg/util/flowcontrol/watch_tracker.go.
import type { ResourceRequestInfo } from '../http/request-info.ts'

export class WatchCounts {
  readonly #counts = new Map<string, number>()

  /** Answers how to tell that the watch is over. */
  add({ group, resource, namespace = '', name = '' }: ResourceRequestInfo): () => void {
    const key = keyOf(group, resource, namespace, name)
    this.#change(key, 1)
    let isOver = false
    return () => {
      if (!isOver) this.#change(key, -1)
      isOver = true
    }
  }

  /** Of everything of this kind, of everything in the namespace, and of the object. */
  interestedIn({ group, resource, namespace = '', name = '' }: ResourceRequestInfo): number {
    if (this.#counts.size === 0) return 0
    const of = (...rest: [string, string]) => this.#counts.get(keyOf(group, resource, ...rest)) ?? 0
    return of('', '') + (namespace ? of(namespace, '') : 0) + (name ? of(namespace, name) : 0)
  }

  #change(key: string, by: 1 | -1): void {
    const count = (this.#counts.get(key) ?? 0) + by
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }
}

const keyOf = (...parts: string[]) => parts.join('\0')
