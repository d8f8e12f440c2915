// Finds devices for claims on one node: one device after the other, going back where it cannot go on. The first whole
// solution is taken. Pure. Upstream: structured Allocate, allocateOne, allocateDevice (KEP-4381).
import type { Node } from '../../api/types/core-v1.ts'
import type { DeviceClass, ResourceClaim, ResourceSlice } from '../../api/types/resource-v1.ts'
import { deviceId } from './allocated-devices.ts'
import { AllocationError, SearchTimeout } from './allocation-error.ts'
import type { AllocatedDevices, ConsumedCapacity } from './device-objects.ts'
import { DeviceUse } from './device-use.ts'
import { type ClaimPlan, planClaim } from './plan-claim.ts'
import { devicesOf, gatherPools, type Pool } from './pools.ts'
import { type Candidate, claimNameOf, MOST_DEVICES, type RequestPlan } from './request-plan.ts'
import { isSelectable, isTainted } from './selection.ts'

export interface FindInput {
  node: Node
  /** Without devices so far. */
  claims: readonly ResourceClaim[]
  slices: readonly ResourceSlice[]
  allocated: AllocatedDevices
  classOf(name: string): DeviceClass | undefined
  /** How many devices may be looked at, in place of upstream's ten seconds. */
  mostLooks?: number
}

export interface ChosenDevice extends Candidate {
  readonly request: RequestPlan
  /** Of a device that many may share; undefined for one that is had alone. */
  readonly consumed?: ConsumedCapacity
}

export interface FoundDevices {
  readonly claim: ResourceClaim
  /** In the order of the requests. */
  readonly devices: readonly ChosenDevice[]
  /** For each request, the alternative that was taken. */
  readonly requests: readonly RequestPlan[]
}

export type FindResult =
  | { found: readonly FoundDevices[]; reason?: undefined }
  | { found?: undefined; reason: string }

const MOST_LOOKS = 200_000

/** Throws AllocationError when a claim or class is at fault. */
export function findDevices(input: FindInput): FindResult {
  const pools = gatherPools(input.slices, input.node)
  try {
    const found = new Search(input, pools).run()
    if (found) return { found }
  } catch (error) {
    if (error instanceof SearchTimeout) return { reason: 'timed out trying to allocate devices' }
    throw error
  }
  const isAnyInvalid = pools.some(({ isInvalid }) => isInvalid)
  return { reason: isAnyInvalid ? 'invalid resource pools were encountered' : 'cannot allocate all claims' }
}

/** Devices whose binding waits for conditions come last. */
function candidatesOf(pools: readonly Pool[]): Candidate[] {
  const candidates = pools.flatMap(pool =>
    pool.slices.flatMap(slice => {
      const { driver, pool: place } = slice.spec
      return devicesOf(slice).map(device => ({
        id: deviceId(driver, place.name, device.name),
        device,
        slice,
        pool,
      }))
    }),
  )
  const isReady = ({ device }: Candidate) => (device.bindingConditions?.length ?? 0) === 0
  return [...candidates.filter(isReady), ...candidates.filter(candidate => !isReady(candidate))]
}

/** 'tooMany': more devices than a claim can hold, so that other devices for earlier requests cannot help. */
type Outcome = 'done' | 'failed' | 'tooMany'

/** The request of a claim that the search is at, with one of its alternatives. */
interface Place {
  claim: number
  request: number
  plan: RequestPlan
}

class Search {
  readonly #node: Node
  readonly #use: DeviceUse
  readonly #candidates: readonly Candidate[]
  readonly #plans: readonly ClaimPlan[]
  /** By claim. */
  readonly #chosen: ChosenDevice[][]
  /** By claim and request. */
  readonly #alternatives: RequestPlan[][]
  /** What selectors say, by request and device. */
  readonly #selectable = new Map<string, boolean>()
  #looksLeft: number

  constructor({ node, claims, allocated, classOf, mostLooks = MOST_LOOKS }: FindInput, pools: Pool[]) {
    this.#node = node
    this.#use = new DeviceUse(allocated)
    this.#candidates = candidatesOf(pools)
    this.#looksLeft = mostLooks
    const selectable = (claim: ResourceClaim, request: RequestPlan) =>
      this.#candidates.filter(
        candidate =>
          this.#isSelectable(claim, request, candidate) &&
          this.#use.capacity(request, candidate) !== undefined,
      )
    this.#plans = claims.map(claim => planClaim(claim, { pools, classOf, selectable }))
    this.#chosen = claims.map(() => [])
    this.#alternatives = claims.map(() => [])
  }

  run(): FoundDevices[] | undefined {
    if (this.#nextRequest(0, 0) !== 'done') return undefined
    return this.#plans.map(({ claim }, index) => ({
      claim,
      devices: this.#chosen[index]!,
      requests: this.#alternatives[index]!,
    }))
  }

  #nextRequest(claim: number, request: number): Outcome {
    const plan = this.#plans[claim]
    if (!plan) return 'done'
    const alternatives = plan.requests[request]
    if (!alternatives) {
      const outcome = this.#nextRequest(claim + 1, 0)
      return outcome === 'tooMany' ? 'failed' : outcome
    }
    let result: Outcome = 'tooMany'
    for (const alternative of alternatives) {
      this.#alternatives[claim]![request] = alternative
      const outcome = this.#nextDevice({ claim, request, plan: alternative }, 0, 0)
      if (outcome === 'done') return outcome
      if (outcome === 'failed') result = outcome
    }
    return result
  }

  /** The order of the devices of one request means nothing: only candidates from `from` on are tried. */
  #nextDevice(place: Place, index: number, from: number): Outcome {
    const { claim, request, plan } = place
    if (plan.all?.length === 0) return 'failed'
    if (index >= plan.count) return this.#nextRequest(claim, request + 1)
    if (this.#chosen[claim]!.length + plan.count - index > MOST_DEVICES) return 'tooMany'
    const candidates = plan.all ?? this.#candidates
    const end = plan.all ? index + 1 : candidates.length
    for (let at = plan.all ? index : from; at < end; at++) {
      const undo = this.#take(place, candidates[at]!)
      if (!undo) continue
      const outcome = this.#nextDevice(place, index + 1, at + 1)
      if (outcome === 'done') return outcome
      undo()
      if (outcome === 'tooMany') return outcome
    }
    return 'failed'
  }

  /** Returns how to undo it; undefined when the request cannot have the device. */
  #take({ claim, plan }: Place, candidate: Candidate): (() => void) | undefined {
    if (this.#looksLeft-- <= 0) throw new SearchTimeout()
    if (!this.#use.isFree(claim, plan, candidate)) return undefined
    if (!this.#isSelectable(this.#plans[claim]!.claim, plan, candidate)) return undefined
    if (isTainted(candidate.device, plan.spec.tolerations)) return undefined
    const taken = this.#use.take(claim, plan, candidate)
    if (!taken) return undefined
    const unbind = this.#constrain(this.#plans[claim]!, plan, candidate)
    if (!unbind) {
      taken.undo()
      return undefined
    }
    this.#chosen[claim]!.push({
      ...candidate,
      request: plan,
      ...(taken.consumed && { consumed: taken.consumed }),
    })
    return () => {
      this.#chosen[claim]!.pop()
      unbind()
      taken.undo()
    }
  }

  #constrain(
    { claim, constraints }: ClaimPlan,
    plan: RequestPlan,
    { id, device, slice }: Candidate,
  ): (() => void) | undefined {
    const broken = constraints.findIndex(constraint => !constraint.add(plan, slice.spec.driver, device))
    const held = broken < 0 ? constraints : constraints.slice(0, broken)
    const undo = () => {
      for (const constraint of held) constraint.remove(plan)
    }
    if (broken < 0) return undo
    undo()
    if (!plan.all) return undefined
    const at = `claim ${claimNameOf(claim)}, request ${plan.own}`
    throw new AllocationError(
      `${at}: cannot add device ${id} because a claim constraint would not be satisfied`,
    )
  }

  #isSelectable(claim: ResourceClaim, plan: RequestPlan, candidate: Candidate): boolean {
    const key = `${claim.metadata.uid} ${plan.name} ${candidate.id}`
    const known = this.#selectable.get(key) ?? isSelectable(claim, plan, candidate, this.#node)
    this.#selectable.set(key, known)
    return known
  }
}
