// Extended resources that a DeviceClass stands for: a Pod that asks for them gets a ResourceClaim of its own, which the
// scheduler makes. Pure. Upstream: dynamicresources/extendeddynamicresources.go and extended/ (KEP-5004).
import type { Draft } from '../../api/kube-object.ts'
import type { Container, ContainerExtendedResourceRequest, Pod } from '../../api/types/core-v1.ts'
import type { DeviceClass, DeviceRequest, ResourceClaim } from '../../api/types/resource-v1.ts'
import { isExtended } from '../../api/validation/resource-names.ts'
import { requestsOf } from '../state/amounts.ts'
import type { NodeInfo } from '../state/node-info.ts'
import type { DeviceObjects } from './device-objects.ts'

/** Every class can be asked for by this prefix and its name. Upstream: ResourceDeviceClassPrefix. */
const IMPLICIT = 'deviceclass.resource.kubernetes.io/'
const ANNOTATION = 'resource.kubernetes.io/extended-resource-claim'
/** As long as the claim is in nobody's mind but the scheduler's. No claim of the API can be called so. */
const IN_MEMORY = '<extended-resources>'

type Mapping = ContainerExtendedResourceRequest

/** What a Pod asks for in this way. */
export interface ExtendedResources {
  /** All its extended resources, with or without a class, and how many of each. */
  readonly amounts: ReadonlyMap<string, number>
  /** Made in an earlier turn, which did not get to its end. */
  readonly stale?: ResourceClaim
}

export interface ExtendedClaim {
  readonly claim: ResourceClaim
  /** Which container uses which request. */
  readonly mappings: readonly Mapping[]
}

/** Of several classes for a resource the newest counts, of equally old ones the first by name. */
export function classOfResource(
  resource: string,
  objects: Pick<DeviceObjects, 'deviceClass' | 'deviceClasses'>,
): DeviceClass | undefined {
  if (resource.startsWith(IMPLICIT)) return objects.deviceClass(resource.slice(IMPLICIT.length))
  const createdAt = ({ metadata }: DeviceClass) => metadata.creationTimestamp ?? ''
  return objects
    .deviceClasses()
    .filter(({ spec }) => spec.extendedResourceName === resource)
    .reduce<DeviceClass | undefined>((best, one) => {
      if (!best || createdAt(one) > createdAt(best)) return one
      return createdAt(one) === createdAt(best) && one.metadata.name < best.metadata.name ? one : best
    }, undefined)
}

/** Upstream: IsDRAExtendedResourceName. */
const mayHaveClass = (resource: string): boolean => isExtended(resource) || resource.startsWith(IMPLICIT)

/** The node has none of it as devices of a plugin: what there is, is had by a claim. Upstream: shouldDelegateResourceToDRA. */
export function isDelegated(
  resource: string,
  { allocatable }: Pick<NodeInfo, 'allocatable'>,
  objects: DeviceObjects,
): boolean {
  if ((allocatable.scalars.get(resource) ?? 0) > 0 || !mayHaveClass(resource)) return false
  return classOfResource(resource, objects) !== undefined
}

/** undefined: no class stands for anything that the Pod asks for. */
export function extendedResourcesOf(pod: Pod, objects: DeviceObjects): ExtendedResources | undefined {
  const { scalars } = requestsOf(pod)
  if (scalars.size === 0) return undefined
  const amounts = new Map([...scalars].filter(([name, amount]) => amount > 0 && mayHaveClass(name)))
  if (![...amounts.keys()].some(name => classOfResource(name, objects))) return undefined
  const stale = objects.claims().find(claim => isExtendedClaimOf(claim, pod))
  return { amounts, ...(stale && { stale }) }
}

const isExtendedClaimOf = ({ metadata }: ResourceClaim, pod: Pod): boolean =>
  metadata.annotations?.[ANNOTATION] === 'true' &&
  (metadata.ownerReferences ?? []).some(({ controller, uid }) => controller && uid === pod.metadata.uid)

/** `none`: the node has it all by plugins. */
export type ExtendedOnNode = { claim: ExtendedClaim } | { reason: string } | 'none'

/** What of it has to be claimed on the node. Upstream: filterExtendedResources. */
export function extendedOnNode(
  pod: Pod,
  { amounts, stale }: ExtendedResources,
  node: Pick<NodeInfo, 'allocatable'>,
  objects: DeviceObjects,
): ExtendedOnNode {
  if (stale) return { reason: 'cannot schedule extended resource claim' }
  const claimed = [...amounts.keys()].filter(name => isDelegated(name, node, objects))
  const others = [...amounts.keys()].filter(name => !claimed.includes(name))
  if (others.some(name => !node.allocatable.scalars.has(name))) return { reason: 'cannot fit resource' }
  if (claimed.length === 0) return 'none'
  const { requests, mappings } = requestsFor(pod, claimed, objects)
  const { namespace, uid } = pod.metadata
  const metadata = { name: IN_MEMORY, namespace, uid: `${IN_MEMORY}/${uid}` }
  const spec = { devices: { requests } }
  return { claim: { claim: { metadata, spec, status: {} } as ResourceClaim, mappings } }
}

export function extendedClaimDraft({ metadata }: Pod, { spec }: ResourceClaim): Draft<ResourceClaim> {
  const { name, namespace, uid } = metadata
  return {
    metadata: {
      name: '',
      generateName: `${name}-extended-resources-`,
      namespace: namespace!,
      annotations: { [ANNOTATION]: 'true' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid: uid!, controller: true }],
    },
    spec: structuredClone(spec),
  }
}

interface Requests {
  requests: DeviceRequest[]
  mappings: Mapping[]
}

/**
 * Containers that run for as long as the Pod have devices of their own; init containers use those of later ones, and
 * share what they need beyond. Upstream: createRequestsAndMappings.
 */
function requestsFor(pod: Pod, resources: readonly string[], objects: DeviceObjects): Requests {
  const { initContainers = [], containers } = pod.spec
  const all = [...initContainers, ...containers]
  const parts = resources.toSorted().map(resource => {
    const { name } = classOfResource(resource, objects)!.metadata
    return requestsForResource(all, initContainers.length, resource, name)
  })
  return {
    requests: parts.flatMap(({ requests }) => requests).sort((a, b) => (a.name < b.name ? -1 : 1)),
    mappings: parts.flatMap(({ mappings }) => mappings),
  }
}

function requestsForResource(
  all: readonly Container[],
  initCount: number,
  resource: string,
  className: string,
): Requests {
  const isShort = (index: number) => index < initCount && all[index]!.restartPolicy !== 'Always'
  const indices = [...all.keys()]
  const long = new Map<number, Part>()
  for (const index of indices) {
    if (!isShort(index)) long.set(index, partFor(all[index]!, index, resource, className, []))
  }
  const short = indices.filter(isShort).map(index => {
    const later = [...long].flatMap(([at, { request }]) => (at >= index && request ? [request] : []))
    return partFor(all[index]!, index, resource, className, later)
  })
  const largest = short.reduce<DeviceRequest | undefined>(
    (best, { request }) => (request && (!best || countOf(best) < countOf(request)) ? request : best),
    undefined,
  )
  const replaced = new Set(short.map(({ request }) => request?.name))
  const longParts = [...long.values()]
  return {
    requests: [largest, ...longParts.map(({ request }) => request)].filter(request => request !== undefined),
    mappings: [
      ...longParts.flatMap(({ mappings }) => mappings),
      ...short
        .flatMap(({ mappings }) => mappings)
        .map(one => (largest && replaced.has(one.requestName) ? { ...one, requestName: largest.name } : one)),
    ],
  }
}

const countOf = ({ exactly }: DeviceRequest) => exactly?.count ?? 0

interface Part {
  request?: DeviceRequest
  mappings: Mapping[]
}

/** What one container needs: devices of `later` containers first, then its own. */
function partFor(
  { name: containerName, resources }: Container,
  index: number,
  resource: string,
  className: string,
  later: readonly DeviceRequest[],
): Part {
  const wanted = Number(resources?.requests?.[resource] ?? 0)
  const mappings: Mapping[] = []
  if (wanted === 0) return { mappings }
  let found = 0
  for (const { name, exactly } of later) {
    found += exactly?.count ?? 0
    mappings.push({ containerName, resourceName: resource, requestName: name })
    if (found >= wanted) return { mappings }
  }
  const place = Object.keys(resources?.requests ?? {})
    .sort()
    .indexOf(resource)
  const name = `container-${index}-request-${place}`
  mappings.push({ containerName, resourceName: resource, requestName: name })
  const exactly = { deviceClassName: className, allocationMode: 'ExactCount', count: wanted - found }
  return { request: { name, exactly }, mappings }
}
