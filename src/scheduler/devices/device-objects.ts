// What the allocation of devices looks at: what the API says, and what was decided and is being written.
import type { Quantity } from '../../api/quantity.ts'
import type { DeviceClass, ResourceClaim, ResourceSlice } from '../../api/types/resource-v1.ts'

export interface DeviceObjects {
  claim(namespace: string, name: string): ResourceClaim | undefined
  /** Of all namespaces. */
  claims(): readonly ResourceClaim[]
  /** Another Pod's turn has decided on devices for the claim, and they are not written yet. */
  isPending(uid: string): boolean
  deviceClass(name: string): DeviceClass | undefined
  deviceClasses(): readonly DeviceClass[]
  slices(): readonly ResourceSlice[]
  /** Epoch milliseconds. */
  now(): number
  /** What claims hold; the same answer as long as they do not change. */
  allocated(): AllocatedDevices
}

export interface AllocatedDevices {
  /** Nobody else may have these; by device id. */
  readonly exclusive: ReadonlySet<string>
  /** How much is taken of devices that many may share; by device id, then by the capacity's name. */
  readonly consumed: ReadonlyMap<string, ConsumedCapacity>
}

export type ConsumedCapacity = ReadonlyMap<string, Quantity>

/** For worlds without devices. */
export const noDevices: DeviceObjects = {
  claim: () => undefined,
  claims: () => [],
  isPending: () => false,
  deviceClass: () => undefined,
  deviceClasses: () => [],
  slices: () => [],
  now: () => 0,
  allocated: () => ({ exclusive: new Set(), consumed: new Map() }),
}
