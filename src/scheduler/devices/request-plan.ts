// A claim's requests as the search for devices sees them.
import type {
  Device,
  DeviceClass,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceSlice,
} from '../../api/types/resource-v1.ts'
import type { Pool } from './pools.ts'

/** A device that the node may reach. */
export interface Candidate {
  /** 'driver/pool/device' */
  readonly id: string
  readonly device: Device
  readonly slice: ResourceSlice
  readonly pool: Pool
}

/** A request, or one alternative of it. */
export interface RequestPlan {
  /** As results name it: 'gpu', or 'gpu/large' for an alternative. */
  readonly name: string
  /** 'gpu' in both cases. */
  readonly base: string
  /** 'large' for an alternative, otherwise as `base`: what errors say. */
  readonly own: string
  readonly spec: ExactDeviceRequest
  readonly class: DeviceClass
  readonly count: number
  /** For a request of all: which ones that are. */
  readonly all?: readonly Candidate[]
}

/** A claim can hold no more. Upstream: AllocationResultsMaxSize. */
export const MOST_DEVICES = 32

export const claimNameOf = ({ metadata }: ResourceClaim): string => `${metadata.namespace}/${metadata.name}`
