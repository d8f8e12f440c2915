// The Node object that this machine is, as a value. Pure. Upstream: kubelet_node_status.go initialNode.
import { isDeepStrictEqual } from 'node:util'
import type { ContainerImage, Node, NodeAddress, NodeStatus } from '../../api/types/core-v1.ts'
import { MANAGED_ATTACH } from '../../api/volume/csi-names.ts'
import type { Image } from '../../runtime/cri/cri.generated.ts'
import type { DeviceAmounts } from '../devices/node-devices.ts'
import { type Machine, machineResources } from './machine.ts'
import { type NodeHealth, nodeConditions } from './node-conditions.ts'
import type { RuntimeAbilities } from './node-health.ts'

export interface NodeInputs {
  nodeName: string
  addresses: readonly NodeAddress[]
  machine: Machine
  images: readonly Image[]
  health: NodeHealth
  runtime: RuntimeAbilities
  /** What plugins offer. */
  devices: DeviceAmounts
  /** Where the kubelet listens; 0 when it does not. */
  port: number
  /** Attachable volumes that Pods here use, or are about to: none of them may be detached. */
  volumesInUse: readonly string[]
}

/** Upstream reports at most this many images. */
const MAX_IMAGES = 50
const MAX_IMAGE_NAMES = 5

export function nodeLabels(nodeName: string, { info }: Machine): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': info.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': info.architecture,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
  }
}

/** As upstream's kubelet, unless its configuration has enableControllerAttachDetach false. */
export const NODE_ANNOTATIONS: Readonly<Record<string, string>> = { [MANAGED_ATTACH]: 'true' }

export function nodeStatus(inputs: NodeInputs, previous: NodeStatus | undefined, now: number): NodeStatus {
  const { addresses, machine, health, port, devices, volumesInUse } = inputs
  const { volumesInUse: _, ...others } = previous ?? {}
  // What others have added to the capacity (extended resources) may be given to pods as well.
  const resources = { ...previous?.capacity, ...machineResources(machine), ...devices.capacity }
  return {
    ...others,
    ...(volumesInUse.length > 0 && { volumesInUse: [...volumesInUse] }),
    capacity: resources,
    allocatable: { ...resources, ...devices.allocatable },
    conditions: nodeConditions(health, previous?.conditions ?? [], now),
    addresses: [...addresses],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    nodeInfo: machine.info,
    images: imageList(inputs.images),
    runtimeHandlers: inputs.runtime.handlers.map(({ name, features }) => ({
      name,
      features: {
        recursiveReadOnlyMounts: features?.recursiveReadOnlyMounts ?? false,
        userNamespaces: features?.userNamespaces ?? false,
      },
    })),
    features: { supplementalGroupsPolicy: inputs.runtime.hasSupplementalGroupsPolicy },
  }
}

/** The largest first. */
function imageList(images: readonly Image[]): ContainerImage[] {
  return [...images]
    .sort((a, b) => b.size - a.size)
    .slice(0, MAX_IMAGES)
    .map(({ repoDigests, repoTags, size }) => ({
      names: [...repoDigests, ...repoTags].slice(0, MAX_IMAGE_NAMES),
      sizeBytes: size,
    }))
}

/** Others have added a resource to the capacity, or taken one away, and allocatable does not show it yet. */
export function hasNewResources({ capacity = {}, allocatable = {} }: NodeStatus): boolean {
  const names = Object.keys(capacity)
  return names.length !== Object.keys(allocatable).length || names.some(name => !(name in allocatable))
}

/**
 * As a merge patch: what is no longer allocatable or in use is taken out. What is attached is not the kubelet's to tell:
 * the controller may have written it meanwhile.
 */
export function statusPatch(next: NodeStatus, previous: NodeStatus | undefined): object {
  const gone = Object.keys(previous?.allocatable ?? {}).filter(name => !(name in (next.allocatable ?? {})))
  const { volumesAttached: _, ...own } = next
  return {
    ...own,
    volumesInUse: next.volumesInUse ?? null,
    allocatable: { ...next.allocatable, ...Object.fromEntries(gone.map(name => [name, null])) },
  }
}

/** Heartbeats alone are no change. */
export function differs(a: NodeStatus | undefined, b: NodeStatus): boolean {
  return !a || !isDeepStrictEqual(withoutHeartbeats(a), withoutHeartbeats(b))
}

const withoutHeartbeats = (status: NodeStatus) => ({
  ...status,
  conditions: status.conditions?.map(({ lastHeartbeatTime: _time, ...condition }) => condition),
})

export function newNode(
  inputs: NodeInputs,
  now: number,
): Omit<Node, 'metadata' | 'apiVersion' | 'kind'> & {
  metadata: { name: string; labels: Record<string, string>; annotations: Record<string, string> }
} {
  const labels = nodeLabels(inputs.nodeName, inputs.machine)
  return {
    metadata: { name: inputs.nodeName, labels, annotations: { ...NODE_ANNOTATIONS } },
    spec: {},
    status: nodeStatus(inputs, undefined, now),
  }
}
