// Who has which device, as it is and as it would be with what the search has chosen so far.
// Upstream: structured deviceInUse, allocateDevice.
import type { Quantity } from '../../api/quantity.ts'
import { capacityFor } from './capacity.ts'
import { PoolCounters } from './counters.ts'
import type { AllocatedDevices, ConsumedCapacity } from './device-objects.ts'
import type { Pool } from './pools.ts'
import type { Candidate, RequestPlan } from './request-plan.ts'

export interface Taken {
  /** Of a device that many may share. */
  readonly consumed?: ConsumedCapacity
  /** In reverse order of taking. */
  undo(): void
}

export class DeviceUse {
  readonly #allocated: AllocatedDevices
  /** Which claims, by their index, have the device alone; by device id. */
  readonly #holders = new Map<string, Set<number>>()
  readonly #shares = new Map<string, ConsumedCapacity[]>()
  readonly #counters = new Map<Pool, PoolCounters>()

  constructor(allocated: AllocatedDevices) {
    this.#allocated = allocated
  }

  /** What the request takes of the device; undefined when it has not enough. */
  capacity({ spec }: RequestPlan, { id, device }: Candidate): ConsumedCapacity | undefined {
    const used = this.#allocated.consumed.get(id)
    return capacityFor(device, spec.capacity, used, sumOf(this.#shares.get(id) ?? []))
  }

  /** undefined when the claim cannot have it. */
  take(claim: number, request: RequestPlan, candidate: Candidate): Taken | undefined {
    const { id, device, pool } = candidate
    if (!this.isFree(claim, request, candidate)) return undefined
    const capacity = this.capacity(request, candidate)
    if (!capacity) return undefined
    // Who shares a device uses what it is made of just once.
    const counters =
      device.consumesCounters?.length && !this.#isShared(id) ? this.#countersOf(pool) : undefined
    if (counters && !counters.take(device)) return undefined
    const release = device.allowMultipleAllocations ? this.#share(id, capacity) : this.#hold(id, claim)
    const undo = () => {
      release()
      counters?.giveBack(device)
    }
    return device.allowMultipleAllocations ? { consumed: capacity, undo } : { undo }
  }

  /** Administrators may look at devices that others have, but not twice for one claim. */
  isFree(claim: number, { spec }: RequestPlan, { id }: Candidate): boolean {
    const holders = this.#holders.get(id)
    if (spec.adminAccess) return !holders?.has(claim)
    return !this.#allocated.exclusive.has(id) && (holders?.size ?? 0) === 0
  }

  #isShared(id: string): boolean {
    return this.#allocated.consumed.has(id) || (this.#shares.get(id)?.length ?? 0) > 0
  }

  #countersOf(pool: Pool): PoolCounters {
    const known = this.#counters.get(pool) ?? new PoolCounters(pool, this.#allocated)
    this.#counters.set(pool, known)
    return known
  }

  #share(id: string, capacity: ConsumedCapacity): () => void {
    const shares = this.#shares.get(id) ?? []
    this.#shares.set(id, shares)
    shares.push(capacity)
    return () => shares.pop()
  }

  #hold(id: string, claim: number): () => void {
    const holders = this.#holders.get(id) ?? new Set()
    this.#holders.set(id, holders.add(claim))
    return () => holders.delete(claim)
  }
}

function sumOf(shares: readonly ConsumedCapacity[]): ConsumedCapacity {
  const sums = new Map<string, Quantity>()
  for (const share of shares) {
    for (const [name, amount] of share) sums.set(name, sums.get(name)?.add(amount) ?? amount)
  }
  return sums
}
