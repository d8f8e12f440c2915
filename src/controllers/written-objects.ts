// Remembers what a controller wrote, until its informer shows it: a reconcile on an older view would write twice.
// Upstream: endpointslice/util/endpointslice_tracker.go, with the resource version in place of the generation.
import type { ObjectMeta } from '../api/types/meta-v1.ts'
import { keyOf, type Lister } from '../client/lister.ts'

type Stored = { metadata: ObjectMeta }

/** Callers ask every few milliseconds. */
const MOST_CHECKS = 400

export class WrittenObjects<T extends Stored> {
  /** Owner's key → object's key → version written, or 'gone'. */
  readonly #expected = new Map<string, Map<string, bigint | 'gone'>>()
  /** Owner's key → how often it was asked about in vain. */
  readonly #checks = new Map<string, number>()

  wrote(owner: string, object: T): void {
    this.#of(owner).set(keyOf(object), BigInt(object.metadata.resourceVersion ?? '0'))
  }

  removed(owner: string, object: T): void {
    this.#of(owner).set(keyOf(object), 'gone')
  }

  #of(owner: string): Map<string, bigint | 'gone'> {
    const found = this.#expected.get(owner) ?? new Map<string, bigint | 'gone'>()
    this.#expected.set(owner, found)
    return found
  }

  /** The informer says that the object is gone: a version from before that will not be seen any more. */
  disappeared(owner: string, object: T): void {
    const expected = this.#expected.get(owner)
    const version = expected?.get(keyOf(object))
    if (typeof version === 'bigint' && version <= BigInt(object.metadata.resourceVersion ?? '0'))
      expected?.delete(keyOf(object))
  }

  /** True while the lister does not know yet what was written for the owner. */
  isAhead(owner: string, lister: Lister<T>): boolean {
    const expected = this.#expected.get(owner)
    if (!expected) return false
    const checks = (this.#checks.get(owner) ?? 0) + 1
    this.#checks.set(owner, checks)
    // After a gap in the watch it may have come and gone unseen.
    if (checks > MOST_CHECKS) this.forget(owner)
    if (checks > MOST_CHECKS) return false
    for (const [key, version] of expected) {
      const seen = lister.findByKey(key)
      const arrived =
        version === 'gone' ? !seen : seen && BigInt(seen.metadata.resourceVersion ?? '0') >= version
      if (arrived) expected.delete(key)
    }
    if (expected.size === 0) this.forget(owner)
    return expected.size > 0
  }

  /** Somebody else has changed or removed what was written: there is nothing to wait for. */
  forget(owner: string): void {
    this.#expected.delete(owner)
    this.#checks.delete(owner)
  }
}
