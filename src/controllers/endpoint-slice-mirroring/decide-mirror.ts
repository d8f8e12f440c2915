// The slices that show an Endpoints object somebody else wrote. Pure.
// Upstream: pkg/controller/endpointslicemirroring/reconciler.go and utils.go.
import { isDeepStrictEqual } from 'node:util'
import { formatIp, isMappedIpv4, parseIp } from '../../api/ip.ts'
import type { Draft } from '../../api/kube-object.ts'
import { isDns1123Subdomain } from '../../api/names.ts'
import type { EndpointAddress, EndpointSubset, Endpoints } from '../../api/types/core-v1.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/types/discovery-v1.ts'
import { MANAGED_BY, SERVICE_NAME } from '../endpoint-slice/slice-labels.ts'
import { TRIGGER_TIME } from '../trigger-times.ts'

export const CONTROLLER = 'endpointslicemirroring-controller.k8s.io'
/** Upstream: --mirroring-max-endpoints-per-subset. */
export const MOST_MIRRORED = 1_000
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

export interface MirrorActions {
  create: Draft<EndpointSlice>[]
  update: EndpointSlice[]
  remove: EndpointSlice[]
  /** Addresses that are none. */
  invalid: number
  /** Addresses left out, invalid or too many. */
  skipped: number
}

interface Group {
  addressType: 'IPv4' | 'IPv6'
  ports: EndpointPort[]
  endpoints: Map<string, Endpoint>
}

export function decideMirror(
  endpoints: Endpoints,
  slices: readonly EndpointSlice[],
  most = MOST_MIRRORED,
): MirrorActions {
  const { groups, invalid, skipped } = groupsOf(endpoints.subsets ?? [], most)
  const present = Map.groupBy(slices, slice => groupKey(slice.addressType, slice.ports ?? []))
  const actions: MirrorActions = { create: [], update: [], remove: [], invalid, skipped }
  for (const [key, group] of groups) {
    const [first, ...surplus] = present.get(key) ?? []
    actions.remove.push(...surplus)
    if (first && isSame(first, group)) continue
    const wanted = sliceOf(endpoints, group, most)
    const { name: _, ...metadata } = wanted.metadata
    if (first) actions.update.push({ ...first, ...wanted, metadata: { ...first.metadata, ...metadata } })
    else actions.create.push({ ...wanted, metadata: { ...metadata, ...newName(endpoints) } })
  }
  for (const [key, group] of present) if (!groups.has(key)) actions.remove.push(...group)
  recycle(actions)
  return endpoints.metadata.deletionTimestamp ? { ...actions, create: [] } : actions
}

function groupsOf(subsets: readonly EndpointSubset[], most: number) {
  const groups = new Map<string, Group>()
  let invalid = 0
  let skipped = 0
  for (const subset of subsets) {
    const ports = (subset.ports ?? []).map(({ name = '', port, protocol, appProtocol }) => ({
      name,
      port,
      protocol: protocol ?? ('TCP' as const),
      ...(appProtocol !== undefined && { appProtocol }),
    }))
    const all = [
      ...(subset.addresses ?? []).map(address => ({ address, ready: true })),
      ...(subset.notReadyAddresses ?? []).map(address => ({ address, ready: false })),
    ]
    let added = 0
    for (const { address, ready } of all) {
      if (added >= most) break
      if (addTo(groups, ports, address, ready)) added++
      else invalid++
    }
    skipped += all.length - added
  }
  return { groups, invalid, skipped }
}

function addTo(groups: Map<string, Group>, ports: EndpointPort[], address: EndpointAddress, ready: boolean) {
  const ip = parseIp(address.ip)
  if (!ip) return false
  const plain = isMappedIpv4(ip) ? { family: 4 as const, value: ip.value & 0xffff_ffffn } : ip
  const addressType = plain.family === 4 ? 'IPv4' : 'IPv6'
  const key = groupKey(addressType, ports)
  const group = groups.get(key) ?? { addressType, ports, endpoints: new Map() }
  groups.set(key, group)
  const { targetRef, nodeName, hostname } = address
  const endpoint: Endpoint = {
    addresses: [formatIp(plain)],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(targetRef && { targetRef }),
    ...(nodeName !== undefined && { nodeName }),
  }
  group.endpoints.set(endpointKey(endpoint), endpoint)
  return true
}

const groupKey = (addressType: string, ports: readonly EndpointPort[]) =>
  [
    addressType,
    ...ports
      .map(({ name = '', protocol = 'TCP', port, appProtocol }) =>
        JSON.stringify([name, protocol, port, appProtocol]),
      )
      .toSorted(),
  ].join()

const endpointKey = ({ addresses, hostname = '', targetRef }: Endpoint) =>
  JSON.stringify([addresses.toSorted(), hostname, targetRef?.namespace, targetRef?.name, targetRef?.uid])

const shown = ({ nodeName, zone, conditions }: Endpoint) => [nodeName, zone, conditions?.ready]

function isSame({ endpoints = [] }: EndpointSlice, group: Group): boolean {
  return (
    endpoints.length === group.endpoints.size &&
    endpoints.every(old => {
      const wanted = group.endpoints.get(endpointKey(old))
      return wanted !== undefined && isDeepStrictEqual(shown(wanted), shown(old))
    })
  )
}

function sliceOf({ metadata }: Endpoints, group: Group, most: number): Draft<EndpointSlice> {
  const { [TRIGGER_TIME]: _time, [LAST_APPLIED]: _applied, ...annotations } = metadata.annotations ?? {}
  const owner = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    name: metadata.name,
    uid: metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
  return {
    metadata: {
      name: '',
      ...(metadata.namespace && { namespace: metadata.namespace }),
      labels: { ...metadata.labels, [SERVICE_NAME]: metadata.name, [MANAGED_BY]: CONTROLLER },
      annotations,
      ownerReferences: [owner],
    },
    addressType: group.addressType,
    ports: group.ports,
    endpoints: [...group.endpoints.values()].slice(0, most),
  }
}

function newName({ metadata }: Endpoints) {
  const isLong = isDns1123Subdomain(`${metadata.name}-a`).length > 0
  return { name: '', generateName: isLong ? metadata.name : `${metadata.name}-` }
}

/** A slice to make and one to remove of the same family are one to change. */
function recycle(actions: MirrorActions): void {
  const removed: EndpointSlice[] = []
  for (const slice of actions.remove) {
    const index = actions.create.findIndex(({ addressType }) => addressType === slice.addressType)
    const draft = actions.create[index]
    if (!draft) {
      removed.push(slice)
      continue
    }
    actions.create.splice(index, 1)
    const { labels, annotations, ownerReferences } = draft.metadata
    const metadata = { ...slice.metadata, labels, annotations, ownerReferences } as EndpointSlice['metadata']
    actions.update.push({ ...slice, metadata, ports: draft.ports, endpoints: draft.endpoints })
  }
  actions.remove = removed
}
