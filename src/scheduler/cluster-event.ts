// What may happen in a cluster that lets a Pod fit which did not. Upstream: framework.ClusterEvent.
import type { Node, Pod } from '../api/types/core-v1.ts'
import type { ResourceClaim } from '../api/types/resource-v1.ts'

export type NodeAspect = 'labels' | 'taints' | 'allocatable' | 'unschedulable'
/** 'claims': the names of the ResourceClaims that were made for it. */
export type PodAspect = 'labels' | 'requests' | 'tolerations' | 'claims'

export type ClusterEvent =
  | { what: 'nodeAdded'; node: Node }
  | { what: 'nodeChanged'; old: Node; node: Node; aspects: ReadonlySet<NodeAspect> }
  | { what: 'nodeGone'; node: Node }
  /** A Pod that has a node. */
  | { what: 'podAssigned'; pod: Pod }
  | { what: 'assignedPodChanged'; old: Pod; pod: Pod; aspects: ReadonlySet<PodAspect> }
  | { what: 'assignedPodGone'; pod: Pod }
  /** The waiting Pod itself. */
  | { what: 'podChanged'; old: Pod; pod: Pod; aspects: ReadonlySet<PodAspect> }
  | { what: 'namespaceLabelsChanged'; name: string }
  | { what: 'claimChanged'; namespace: string; name: string }
  | { what: 'volumesChanged' }
  | { what: 'csiNodeChanged'; name: string }
  /** What drivers say they have left, or what is attached to nodes. */
  | { what: 'storageRoomChanged' }
  /** New, changed (then with `old`) or gone. */
  | { what: 'deviceClaimChanged'; old?: ResourceClaim; claim: ResourceClaim; isGone: boolean }
  /** Classes of devices, or devices themselves, are new or others than before. */
  | { what: 'devicesChanged' }
  /** A Pod gave up the node that it was promised. */
  | { what: 'nominationOver'; node: string }

/** What of the node changed that a scheduling decision looks at; none for a mere heartbeat. */
export function changedAspects(old: Node, node: Node): Set<NodeAspect> {
  const aspects = new Set<NodeAspect>()
  if (!same(old.metadata.labels, node.metadata.labels)) aspects.add('labels')
  if (!same(old.spec.taints, node.spec.taints)) aspects.add('taints')
  if (!same(old.status.allocatable, node.status.allocatable)) aspects.add('allocatable')
  if ((old.spec.unschedulable ?? false) !== (node.spec.unschedulable ?? false)) aspects.add('unschedulable')
  return aspects
}

export function changedPodAspects(old: Pod, pod: Pod): Set<PodAspect> {
  const aspects = new Set<PodAspect>()
  if (!same(old.metadata.labels, pod.metadata.labels)) aspects.add('labels')
  if (!same(old.spec.tolerations, pod.spec.tolerations)) aspects.add('tolerations')
  if (!same(resourcesOf(old), resourcesOf(pod))) aspects.add('requests')
  if (!same(old.status.resourceClaimStatuses, pod.status.resourceClaimStatuses)) aspects.add('claims')
  return aspects
}

/** What is asked for, and what is held while that changes. */
const resourcesOf = ({ spec, status }: Pod) => [
  spec.resources,
  ...[...(spec.initContainers ?? []), ...spec.containers].map(({ resources }) => resources),
  ...[...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(
    ({ resources, allocatedResources }) => [resources?.requests, allocatedResources],
  ),
]

/** Objects of the API as the store hands them out: equal parts are often the same object. */
const same = (a: unknown, b: unknown) => a === b || JSON.stringify(a ?? {}) === JSON.stringify(b ?? {})
