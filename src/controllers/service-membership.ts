// Which pods stand behind which Services, and what of a pod matters for that. Shared by the controllers that write
// EndpointSlices and Endpoints. Upstream: endpointslice/util/controller_utils.go, FindPort.
import { isDeepStrictEqual } from 'node:util'
import { matchesAll } from '../api/labels.ts'
import { isSidecar } from '../api/pod/sidecar.ts'
import type { Pod, Service, ServicePort } from '../api/types/core-v1.ts'
import { keyOf, type Lister } from '../client/lister.ts'

/** A Service without a selector selects nothing; one with an empty selector every pod of its namespace. */
export const selects = ({ spec }: Service, pod: Pod): boolean =>
  spec.selector !== undefined && matchesAll(spec.selector, pod.metadata.labels)

export function servicesOf(pod: Pod, services: Lister<Service>): string[] {
  return services
    .list(pod.metadata.namespace)
    .filter(service => selects(service, pod))
    .map(keyOf)
}

/** Keys of Services whose endpoints may change with this update of a pod. Upstream: GetServicesToUpdate. */
export function servicesTouched(old: Pod, pod: Pod, services: Lister<Service>): string[] {
  const changed = endpointChanged(old, pod)
  const moved = membershipChanged(old, pod)
  if (!changed && !moved) return []
  const now = servicesOf(pod, services)
  if (!moved) return now
  const before = servicesOf(old, services)
  if (changed) return [...new Set([...before, ...now])]
  const [isBefore, isNow] = [new Set(before), new Set(now)]
  return [...now.filter(key => !isBefore.has(key)), ...before.filter(key => !isNow.has(key))]
}

function membershipChanged(old: Pod, pod: Pod): boolean {
  return (
    !isDeepStrictEqual(old.metadata.labels ?? {}, pod.metadata.labels ?? {}) ||
    old.spec.hostname !== pod.spec.hostname ||
    old.spec.subdomain !== pod.spec.subdomain
  )
}

function endpointChanged(old: Pod, pod: Pod): boolean {
  const ips = ({ status }: Pod) => (status.podIPs ?? []).map(({ ip }) => ip).join()
  return (
    old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    isPodReady(old) !== isPodReady(pod) ||
    isFinished(old) !== isFinished(pod) ||
    ips(old) !== ips(pod)
  )
}

export const isPodReady = ({ status }: Pod): boolean =>
  status.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') ?? false

export const isFinished = ({ status }: Pod): boolean =>
  status.phase === 'Succeeded' || status.phase === 'Failed'

/** It has an address and will go on. Upstream: ShouldPodBeInEndpoints. */
export function isEndpoint(pod: Pod, includeTerminating: boolean): boolean {
  if (isFinished(pod)) return false
  if (!pod.status.podIP && !pod.status.podIPs?.length) return false
  return includeTerminating || !pod.metadata.deletionTimestamp
}

/** The pod asked for a name of its own under the Service's. Upstream: ShouldSetHostname. */
export const endpointHostname = ({ spec, metadata }: Pod, service: Service): string | undefined =>
  spec.hostname &&
  spec.subdomain === service.metadata.name &&
  metadata.namespace === service.metadata.namespace
    ? spec.hostname
    : undefined

/** The container port that a Service's port leads to; undefined when the pod names no such port. */
export function findPort({ spec }: Pod, { targetPort, protocol = 'TCP' }: ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort
  const containers = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)]
  for (const { ports } of containers) {
    const found = ports?.find(port => port.name === targetPort && (port.protocol ?? 'TCP') === protocol)
    if (found) return found.containerPort
  }
  return undefined
}

export const isHeadless = ({ spec }: Service): boolean => !spec.clusterIP || spec.clusterIP === 'None'
