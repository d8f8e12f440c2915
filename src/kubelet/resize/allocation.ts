// What a pod has been granted on its node, apart from what its spec asks for now. Pure.
// Upstream: allocation/allocation_manager.go. Its checkpoint here is the pod's own status (allocatedResources).
import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Container, ContainerStatus, Pod, ResourceRequirements } from '../../api/types/core-v1.ts'

export interface Allocation {
  /** By container name: apps and sidecars, the others are never resized. */
  containers: Readonly<Record<string, ResourceRequirements>>
  /** Pod-level resources. */
  pod?: ResourceRequirements
}

export const resizableContainers = ({ spec }: Pod): Container[] => [
  ...(spec.initContainers ?? []).filter(isSidecar),
  ...spec.containers,
]

/** All that the spec asks for. */
export function allocationOf(pod: Pod): Allocation {
  const entries = resizableContainers(pod).map(({ name, resources }) => [name, resources ?? {}] as const)
  return { containers: Object.fromEntries(entries), ...(pod.spec.resources && { pod: pod.spec.resources }) }
}

/** What the status tells was granted before the kubelet started; the spec where it tells nothing. */
export function reportedAllocation(pod: Pod): Allocation {
  const { status, spec } = pod
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
  const entries = resizableContainers(pod).map(({ name, resources = {} }) => {
    const found = statuses.find(one => one.name === name)
    return [name, found ? reported(found, resources) : resources] as const
  })
  const podRequests = status.allocatedResources
  const podLevel = spec.resources && {
    ...spec.resources,
    ...(podRequests && { requests: { ...spec.resources.requests, ...podRequests } }),
    ...(status.resources?.limits && { limits: status.resources.limits }),
  }
  return { containers: Object.fromEntries(entries), ...(podLevel && { pod: podLevel }) }
}

function reported(
  { allocatedResources, resources }: ContainerStatus,
  wanted: ResourceRequirements,
): ResourceRequirements {
  return {
    ...wanted,
    ...(allocatedResources && { requests: { ...wanted.requests, ...allocatedResources } }),
    ...(resources?.limits && { limits: { ...wanted.limits, ...resources.limits } }),
  }
}

/** The pod as if its spec asked for what it was granted; the same object when it does. */
export function withAllocation(pod: Pod, allocation: Allocation): Pod {
  const granted = (container: Container): Container => {
    const resources = allocation.containers[container.name]
    return !resources || sameResources(resources, container.resources)
      ? container
      : { ...container, resources }
  }
  const { initContainers, containers, resources } = pod.spec
  const next = { inits: initContainers?.map(granted), apps: containers.map(granted) }
  const unchanged =
    next.apps.every((app, index) => app === containers[index]) &&
    (next.inits ?? []).every((init, index) => init === initContainers?.[index]) &&
    sameResources(allocation.pod, resources)
  if (unchanged) return pod
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: next.apps,
      ...(next.inits && { initContainers: next.inits }),
      ...(allocation.pod && { resources: allocation.pod }),
    },
  }
}

/** Written the same way: the API server has normalized all quantities. */
export function sameResources(
  a: ResourceRequirements | undefined,
  b: ResourceRequirements | undefined,
): boolean {
  return (['requests', 'limits'] as const).every(part => {
    const [left, right] = [a?.[part] ?? {}, b?.[part] ?? {}]
    const names = new Set([...Object.keys(left), ...Object.keys(right)])
    return [...names].every(name => left[name] === right[name])
  })
}
