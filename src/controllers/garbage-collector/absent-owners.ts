// Owners that the API server has said do not exist. A uid never comes back, so that need not be asked again.
import { describeIdentity, type ObjectIdentity } from './graph-node.ts'

/** Upstream: absentOwnerCache's size. */
const CAPACITY = 500

/** The least recently used are forgotten. */
export class AbsentOwners {
  readonly #keys = new Set<string>()

  add(identity: ObjectIdentity): void {
    const key = describeIdentity(identity)
    this.#keys.delete(key)
    this.#keys.add(key)
    if (this.#keys.size <= CAPACITY) return
    const [oldest] = this.#keys
    this.#keys.delete(oldest!)
  }

  has(identity: ObjectIdentity): boolean {
    const key = describeIdentity(identity)
    if (!this.#keys.delete(key)) return false
    this.#keys.add(key)
    return true
  }
}
