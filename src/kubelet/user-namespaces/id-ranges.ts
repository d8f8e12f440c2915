// Which range of the machine's user and group ids each pod has: ranges of one length, side by side, one pod each.
// Pure but for what it remembers. Upstream: UsernsManager.
import type { IdSpan } from './kubelet-ids.ts'

export interface IdRange {
  /** The id of the machine that is 0 inside. */
  first: number
  length: number
}

export interface IdRangesOptions {
  /** All that may be given away. */
  span: IdSpan
  idsPerPod: number
  /** From 0 to 1: where the search begins. Two clusters on a machine then hardly ever give the same range. */
  start: number
}

export class IdRanges {
  readonly #options: IdRangesOptions
  readonly #count: number
  readonly #ownerOf = new Map<number, string>()
  readonly #slotOf = new Map<string, number>()
  #next: number

  constructor(options: IdRangesOptions) {
    this.#options = options
    this.#count = Math.floor(options.span.length / options.idsPerPod)
    this.#next = Math.min(Math.floor(options.start * this.#count), this.#count - 1)
  }

  /** The pod's range; a free one when it has none yet. A range just freed is not the next to be given. */
  allocate(uid: string): IdRange {
    const slot = this.#slotOf.get(uid) ?? this.#freeSlot()
    this.#give(uid, slot)
    return this.#range(slot)
  }

  /** Takes back what an earlier run gave. Throws when that cannot be, in upstream's words. */
  take(uid: string, { first, length }: IdRange): void {
    const { span, idsPerPod } = this.#options
    if (length !== idsPerPod) throw new Error(`wrong user namespace length ${length}`)
    if (first % idsPerPod !== 0) throw new Error(`wrong user namespace offset specified ${first}`)
    const slot = (first - span.first) / idsPerPod
    if (slot < 0 || slot >= this.#count) throw new Error(`id ${first} is out of range`)
    const known = this.#slotOf.get(uid)
    if (known !== undefined && known !== slot)
      throw new Error(`different user namespace range already used by pod "${uid}"`)
    const owner = this.#ownerOf.get(slot)
    if (owner !== undefined && owner !== uid) throw new Error(`range picked for pod "${uid}" already taken`)
    this.#give(uid, slot)
  }

  /** Fine when it has none. */
  release(uid: string): void {
    const slot = this.#slotOf.get(uid)
    if (slot === undefined) return
    this.#slotOf.delete(uid)
    this.#ownerOf.delete(slot)
  }

  #freeSlot(): number {
    for (let tries = 0; tries < this.#count; tries++) {
      const slot = (this.#next + tries) % this.#count
      if (this.#ownerOf.has(slot)) continue
      this.#next = (slot + 1) % this.#count
      return slot
    }
    throw new Error('could not find an empty slot to allocate a user namespace')
  }

  #give(uid: string, slot: number): void {
    this.#slotOf.set(uid, slot)
    this.#ownerOf.set(slot, uid)
  }

  #range(slot: number): IdRange {
    const { span, idsPerPod } = this.#options
    return { first: span.first + slot * idsPerPod, length: idsPerPod }
  }
}
