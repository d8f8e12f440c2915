// What must be done to a Service's slices so that they show its pods, changing as few slices as possible. Pure.
// Upstream: endpointslice/reconciler.go.
import { isDeepStrictEqual } from 'node:util'
import type { Draft } from '../../api/kube-object.ts'
import { isDns1123Subdomain } from '../../api/names.ts'
import type { Node, Pod, Service } from '../../api/types/core-v1.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/types/discovery-v1.ts'
import { isEndpoint } from '../service-membership.ts'
import { type AddressType, addressTypesOf, podEndpoint, podPorts } from './pod-endpoint.ts'
import type { SliceActions } from './slice-actions.ts'
import { sliceLabels, withoutReserved } from './slice-labels.ts'
import { withHints } from './traffic-hints.ts'

/** Upstream: --max-endpoints-per-slice. */
export const MOST_ENDPOINTS = 100

export interface SliceInput {
  service: Service
  /** Those that the Service selects. */
  pods: readonly Pod[]
  /** Those of this Service that the controller manages and that are not being deleted. */
  slices: readonly EndpointSlice[]
  findNode(name: string): Node | undefined
  mostEndpoints?: number
}

export function decideSlices(input: SliceInput): SliceActions {
  const families = addressTypesOf(input.service)
  const all: SliceActions = { create: [], update: [], remove: [], skipped: [] }
  for (const family of families) {
    const slices = input.slices.filter(slice => slice.addressType === family)
    const { create, update, remove, skipped } = decideFamily({ ...input, slices }, family)
    all.create.push(...create)
    all.update.push(...update)
    all.remove.push(...remove)
    all.skipped.push(...skipped.filter(pod => !all.skipped.includes(pod)))
  }
  all.remove.push(...input.slices.filter(slice => !families.includes(slice.addressType as AddressType)))
  return all
}

function decideFamily(input: SliceInput, family: AddressType): SliceActions {
  const { service, slices } = input
  const foreign = slices.filter(slice => !isOwnedBy(slice, service))
  const present = Map.groupBy(
    slices.filter(slice => isOwnedBy(slice, service)),
    slice => portsKey(slice.ports),
  )
  const { wanted, skipped } = wantedEndpoints(input, family)
  const actions: SliceActions = { create: [], update: [], remove: [...foreign], skipped }
  for (const [key, { ports, endpoints }] of wanted) {
    const draft = () => newSlice(service, family, ports)
    const part = fitIntoSlices(present.get(key) ?? [], endpoints, input, draft)
    actions.create.push(...part.create)
    actions.update.push(...part.update)
    actions.remove.push(...part.remove)
  }
  for (const [key, group] of present) if (!wanted.has(key)) actions.remove.push(...group)
  addPlaceholder(actions, slices, service, family)
  const settled = reuse(withHints(service, actions, slices), service)
  return service.metadata.deletionTimestamp ? { ...settled, create: [] } : settled
}

interface Wanted {
  ports: EndpointPort[]
  /** By what tells endpoints of one slice apart. */
  endpoints: Map<string, Endpoint>
}

function wantedEndpoints(
  { service, pods, findNode }: SliceInput,
  family: AddressType,
): { wanted: Map<string, Wanted>; skipped: Pod[] } {
  const wanted = new Map<string, Wanted>()
  const skipped: Pod[] = []
  for (const pod of pods) {
    if (!isEndpoint(pod, true)) continue
    const ports = podPorts(pod, service)
    const key = portsKey(ports)
    const group = wanted.get(key) ?? { ports, endpoints: new Map() }
    wanted.set(key, group)
    const node = findNode(pod.spec.nodeName ?? '')
    if (!node && !service.spec.publishNotReadyAddresses) {
      skipped.push(pod)
      continue
    }
    const endpoint = podEndpoint(pod, node, service, family)
    if (endpoint.addresses.length > 0) group.endpoints.set(endpointKey(endpoint), endpoint)
  }
  return { wanted, skipped }
}

/** Order does not matter. */
const portsKey = (ports: readonly EndpointPort[] | undefined): string =>
  (ports ?? [])
    .map(({ name = '', protocol = 'TCP', port, appProtocol }) =>
      JSON.stringify([name, protocol, port, appProtocol]),
    )
    .toSorted()
    .join()

/** Upstream: hashEndpoint. */
export const endpointKey = ({ addresses, hostname = '', targetRef }: Endpoint): string =>
  JSON.stringify([addresses.toSorted(), hostname, targetRef?.namespace, targetRef?.name, targetRef?.uid])

function fitIntoSlices(
  present: readonly EndpointSlice[],
  endpoints: ReadonlyMap<string, Endpoint>,
  { service, mostEndpoints = MOST_ENDPOINTS }: SliceInput,
  draft: () => Draft<EndpointSlice>,
): Pick<SliceActions, 'create' | 'update' | 'remove'> {
  const left = new Map(endpoints)
  const { update, remove, unchanged } = sortOut(present, left, service)
  const room = (slice: { endpoints: Endpoint[] }) => mostEndpoints - slice.endpoints.length
  const fill = (slice: { endpoints: Endpoint[] }) => {
    const taken = [...left].slice(0, Math.max(room(slice), 0))
    slice.endpoints.push(...taken.map(([, endpoint]) => endpoint))
    for (const [key] of taken) left.delete(key)
  }
  for (const slice of update.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) fill(slice)
  const create: Draft<EndpointSlice>[] = []
  while (left.size > 0) {
    const roomy = left.size < mostEndpoints ? closestFit(unchanged, left.size, mostEndpoints) : undefined
    if (roomy) {
      unchanged.delete(roomy)
      const slice = { ...roomy, endpoints: [...roomy.endpoints] }
      update.push(slice)
      fill(slice)
      continue
    }
    const slice = draft()
    create.push(slice)
    fill(slice)
  }
  return { create, update, remove }
}

/** Keeps in each slice what is still wanted there, and takes that out of `left`. */
function sortOut(present: readonly EndpointSlice[], left: Map<string, Endpoint>, service: Service) {
  const update: EndpointSlice[] = []
  const remove: EndpointSlice[] = []
  const unchanged = new Set<EndpointSlice>()
  for (const slice of present) {
    const endpoints: Endpoint[] = []
    let changed = false
    for (const old of slice.endpoints ?? []) {
      const key = endpointKey(old)
      const wanted = left.get(key)
      if (!wanted) continue
      left.delete(key)
      endpoints.push(wanted)
      changed ||= !isDeepStrictEqual(beyondKey(old), beyondKey(wanted))
    }
    const labels = sliceLabels(service)
    const relabel = !isDeepStrictEqual(withoutReserved(slice.metadata.labels), withoutReserved(labels))
    const isChanged = changed || endpoints.length !== (slice.endpoints ?? []).length
    if (isChanged && endpoints.length === 0) remove.push(slice)
    else if (isChanged || relabel) {
      const metadata = { ...slice.metadata, labels }
      update.push({ ...slice, metadata, endpoints: isChanged ? endpoints : [...slice.endpoints] })
    } else unchanged.add(slice)
  }
  return { update, remove, unchanged }
}

/** Upstream: EndpointsEqualBeyondHash. */
const beyondKey = ({ nodeName, zone, conditions }: Endpoint) => [
  nodeName,
  zone,
  conditions?.ready,
  conditions?.serving,
  conditions?.terminating,
]

/** The slice that would be fullest with so many more. Upstream: getSliceToFill. */
function closestFit(slices: Iterable<EndpointSlice>, more: number, most: number): EndpointSlice | undefined {
  let best: EndpointSlice | undefined
  let leftOver = most
  for (const slice of slices) {
    const room = most - (more + slice.endpoints.length)
    if (room < 0 || room >= leftOver) continue
    best = slice
    leftOver = room
  }
  return best
}

function newSlice(service: Service, addressType: AddressType, ports: EndpointPort[]): Draft<EndpointSlice> {
  const { name, namespace, uid } = service.metadata
  const prefix = `${name}-`
  const generateName = isDns1123Subdomain(`${name}a`).length === 0 ? prefix : name
  const owner = {
    apiVersion: 'v1',
    kind: 'Service',
    name,
    uid: uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
  return {
    metadata: {
      name: '',
      generateName,
      ...(namespace && { namespace }),
      labels: sliceLabels(service),
      ownerReferences: [owner],
    },
    addressType,
    ports,
    endpoints: [],
  }
}

/** A Service without any endpoint has one empty slice. */
function addPlaceholder(
  actions: SliceActions,
  slices: readonly EndpointSlice[],
  service: Service,
  family: AddressType,
): void {
  const { create, remove } = actions
  if (slices.length !== remove.length || create.length > 0) return
  const placeholder = newSlice(service, family, [])
  const only = remove.length === 1 ? remove[0] : undefined
  if (only && isPlaceholder(only, placeholder, service)) remove.pop()
  else create.push(placeholder)
}

function isPlaceholder(slice: EndpointSlice, placeholder: Draft<EndpointSlice>, service: Service): boolean {
  return (
    (slice.endpoints ?? []).length === 0 &&
    (slice.ports ?? []).length === 0 &&
    isOwnedBy(slice, service) &&
    isDeepStrictEqual(slice.metadata.labels, placeholder.metadata.labels)
  )
}

const isOwnedBy = ({ metadata }: EndpointSlice, service: Service) =>
  metadata.ownerReferences?.some(
    owner => owner.uid === service.metadata.uid && owner.kind === 'Service' && owner.apiVersion === 'v1',
  ) ?? false

/** A slice to make and one to remove are one slice to change. Upstream: finalize. */
function reuse({ create, update, remove, skipped }: SliceActions, service: Service): SliceActions {
  const drafts = [...create]
  const changed = [...update]
  const kept: EndpointSlice[] = []
  for (const slice of remove) {
    const draft = drafts.at(-1)
    if (!draft || !isOwnedBy(slice, service)) {
      kept.push(slice)
      continue
    }
    drafts.pop()
    const metadata = {
      ...slice.metadata,
      labels: draft.metadata.labels!,
      ownerReferences: draft.metadata.ownerReferences!,
    }
    changed.push({ ...slice, metadata, ports: draft.ports, endpoints: draft.endpoints })
  }
  return { create: drafts, update: changed, remove: kept, skipped }
}
