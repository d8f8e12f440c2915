// Claims of the API with the scheduler's own decisions on top, until the API shows them itself: nobody else must be given
// the same devices meanwhile. Upstream: dynamicresources/dra_manager.go (inFlightAllocations, the assume cache).
import type {
  AllocationResult,
  DeviceClass,
  ResourceClaim,
  ResourceSlice,
} from '../../api/types/resource-v1.ts'
import type { Clock } from '../../base/clock.ts'
import { allocatedDevices } from './allocated-devices.ts'
import type { AllocatedDevices, DeviceObjects } from './device-objects.ts'

/** What the informers know. */
export interface KnownDevices {
  claim(namespace: string, name: string): ResourceClaim | undefined
  claims(): readonly ResourceClaim[]
  deviceClass(name: string): DeviceClass | undefined
  deviceClasses(): readonly DeviceClass[]
  slices(): readonly ResourceSlice[]
}

const keyOf = ({ metadata }: ResourceClaim) => `${metadata.namespace}/${metadata.name}`
const versionOf = ({ metadata }: ResourceClaim) => BigInt(metadata.resourceVersion ?? 0)

export class AssumedClaims implements DeviceObjects {
  readonly #known: KnownDevices
  readonly #clock: Clock
  /** With their devices, which are not written yet; by uid. */
  readonly #pending = new Map<string, ResourceClaim>()
  /** Written, and newer than what the informer knows. */
  readonly #written = new Map<string, ResourceClaim>()
  #allocated: AllocatedDevices | undefined

  constructor(known: KnownDevices, clock: Clock) {
    this.#known = known
    this.#clock = clock
  }

  /** The claim is about to get these devices. */
  assume(claim: ResourceClaim, allocation: AllocationResult): void {
    this.#pending.set(claim.metadata.uid!, { ...claim, status: { ...claim.status, allocation } })
    this.#allocated = undefined
  }

  /** The API has it now; `isNew`: the informer need not know it yet. */
  wrote(claim: ResourceClaim, isNew = false): void {
    const known = this.#known.claim(claim.metadata.namespace ?? '', claim.metadata.name)
    if (known ? versionOf(known) < versionOf(claim) : isNew) this.#written.set(keyOf(claim), claim)
    this.#allocated = undefined
  }

  /** Written, or given up. */
  forget(uid: string): void {
    this.#pending.delete(uid)
    this.#allocated = undefined
  }

  /** The informer has a new version; `isGone`: it knows the claim no more. */
  saw(claim: ResourceClaim, isGone = false): void {
    const written = this.#written.get(keyOf(claim))
    if (written && (isGone || versionOf(written) <= versionOf(claim))) this.#written.delete(keyOf(claim))
    this.#allocated = undefined
  }

  claim(namespace: string, name: string): ResourceClaim | undefined {
    return this.#written.get(`${namespace}/${name}`) ?? this.#known.claim(namespace, name)
  }

  claims(): readonly ResourceClaim[] {
    const known = this.#known.claims()
    if (this.#written.size === 0) return known
    const all = new Map([...known.map(claim => [keyOf(claim), claim] as const), ...this.#written])
    return [...all.values()]
  }

  isPending(uid: string): boolean {
    return this.#pending.has(uid)
  }

  allocated(): AllocatedDevices {
    this.#allocated ??= allocatedDevices(this.#holders())
    return this.#allocated
  }

  *#holders(): Generator<ResourceClaim> {
    for (const claim of this.claims()) if (!this.#pending.has(claim.metadata.uid!)) yield claim
    yield* this.#pending.values()
  }

  now(): number {
    return this.#clock.now()
  }

  deviceClass(name: string): DeviceClass | undefined {
    return this.#known.deviceClass(name)
  }

  deviceClasses(): readonly DeviceClass[] {
    return this.#known.deviceClasses()
  }

  slices(): readonly ResourceSlice[] {
    return this.#known.slices()
  }
}
