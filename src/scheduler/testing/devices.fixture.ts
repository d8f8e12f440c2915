// Devices, classes and claims in few words.
import type { Pod } from '../../api/types/core-v1.ts'
import type {
  Device,
  DeviceClass,
  DeviceRequest,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceSlice,
  ResourceSliceSpec,
} from '../../api/types/resource-v1.ts'
import { allocatedDevices } from '../devices/allocated-devices.ts'
import type { DeviceObjects } from '../devices/device-objects.ts'

export const DRIVER = 'dra.example.com'

/** The devices of one pool; more of the slice's fields with `spec`. */
export function slice(
  name: string,
  devices: readonly (string | Device)[],
  spec: Partial<ResourceSliceSpec> = { nodeName: 'n1' },
): ResourceSlice {
  return {
    metadata: { name, uid: name },
    spec: {
      driver: DRIVER,
      pool: { name: 'pool', generation: 1, resourceSliceCount: 1 },
      ...(!spec.sharedCounters && {
        devices: devices.map(device => (typeof device === 'string' ? { name: device } : device)),
      }),
      ...spec,
    },
  } as unknown as ResourceSlice
}

export const deviceClass = (name: string, spec: Partial<DeviceClass['spec']> = {}): DeviceClass =>
  ({ metadata: { name, uid: name }, spec }) as unknown as DeviceClass

export const exactly = (spec: Partial<ExactDeviceRequest> = {}): ExactDeviceRequest => ({
  deviceClassName: 'gpu',
  allocationMode: 'ExactCount',
  ...(spec.allocationMode !== 'All' && { count: 1 }),
  ...spec,
})

export const request = (name: string, spec: Partial<ExactDeviceRequest> = {}): DeviceRequest => ({
  name,
  exactly: exactly(spec),
})

export const withCel = (expression: string) => [{ cel: { expression } }]

export function claim(
  name: string,
  requests: readonly DeviceRequest[] = [request('gpu')],
  more: {
    devices?: Partial<ResourceClaim['spec']['devices']>
    status?: ResourceClaim['status']
    metadata?: Partial<ResourceClaim['metadata']>
  } = {},
): ResourceClaim {
  return {
    metadata: { name, namespace: 'default', uid: `uid-${name}`, ...more.metadata },
    spec: { devices: { requests, ...more.devices } },
    status: more.status ?? {},
  } as unknown as ResourceClaim
}

/** Given to somebody already. */
export const held = (name: string, ...devices: string[]): ResourceClaim =>
  claim(name, [request('gpu', { count: devices.length })], {
    status: {
      allocation: {
        devices: {
          results: devices.map(device => ({ request: 'gpu', driver: DRIVER, pool: 'pool', device })),
        },
      },
    },
  })

export const reservedFor = ({ metadata }: Pod) => [
  { resource: 'pods', name: metadata.name, uid: metadata.uid! },
]

export interface DeviceWorld {
  slices?: readonly ResourceSlice[]
  classes?: readonly DeviceClass[]
  claims?: readonly ResourceClaim[]
  pending?: readonly string[]
}

export function devicesOf({
  slices = [],
  classes = [deviceClass('gpu')],
  claims = [],
  pending = [],
}: DeviceWorld): DeviceObjects {
  return {
    claim: (namespace, name) =>
      claims.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
    claims: () => claims,
    isPending: uid => pending.includes(uid),
    deviceClass: name => classes.find(({ metadata }) => metadata.name === name),
    deviceClasses: () => classes,
    slices: () => slices,
    now: () => 0,
    allocated: () => allocatedDevices(claims),
  }
}
