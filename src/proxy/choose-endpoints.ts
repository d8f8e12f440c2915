// Which endpoints of a Service's port take traffic: those ready, or, while none is, those that still serve although
// they terminate; near ones where hints say so. Pure. Upstream: pkg/proxy/topology.go CategorizeEndpoints.
import type { Service, ServicePort } from '../api/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../api/types/discovery-v1.ts'

export interface Place {
  nodeName: string
  zone?: string
}

export interface Backend {
  ip: string
  port: number
}

export interface ChosenEndpoints {
  /** For traffic that may go anywhere. */
  cluster: Backend[]
  /** On this node only. */
  local: Backend[]
  /** Some endpoint somewhere is fit to serve, maybe not here: what has none here is then dropped, not refused. */
  anywhere: boolean
}

interface Candidate extends Backend {
  endpoint: Endpoint
}

export function chooseEndpoints(
  port: ServicePort,
  slices: readonly EndpointSlice[],
  place: Place,
): ChosenEndpoints {
  const all = candidates(port, slices)
  const local = all.filter(({ endpoint }) => endpoint.nodeName === place.nodeName)
  const cluster = fit(nearOnes(all, place))
  return { cluster: addresses(cluster), local: addresses(fit(local)), anywhere: fit(all).length > 0 }
}

/** Sorted, so that the same endpoints give the same result in whatever order slices come. */
function candidates(port: ServicePort, slices: readonly EndpointSlice[]): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue
    const match = (slice.ports ?? []).find(
      one => (one.name ?? '') === (port.name ?? '') && (one.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    )
    if (!match?.port) continue
    for (const endpoint of slice.endpoints ?? []) {
      const ip = endpoint.addresses[0]
      if (!ip) continue
      const key = `${ip}:${match.port}`
      const before = found.get(key)
      // The same address in two slices while it moves from one to the other: the fitter one counts.
      if (before && (isReady(before.endpoint) || !isReady(endpoint))) continue
      found.set(key, { ip, port: match.port, endpoint })
    }
  }
  return [...found.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, candidate]) => candidate)
}

const isReady = ({ conditions }: Endpoint) => conditions?.ready !== false
const servesWhileTerminating = ({ conditions }: Endpoint) =>
  conditions?.serving !== false && conditions?.terminating === true

function fit(all: readonly Candidate[]): Candidate[] {
  const ready = all.filter(({ endpoint }) => isReady(endpoint))
  return ready.length > 0 ? ready : all.filter(({ endpoint }) => servesWhileTerminating(endpoint))
}

/** Hints count only when every ready endpoint has one and some of them are for this place. */
function nearOnes(all: readonly Candidate[], { nodeName, zone }: Place): readonly Candidate[] {
  const ready = all.filter(({ endpoint }) => isReady(endpoint))
  const byNode = hinted(ready, ({ endpoint }) => endpoint.hints?.forNodes, nodeName)
  if (byNode) return byNode
  const byZone =
    zone === undefined ? undefined : hinted(ready, ({ endpoint }) => endpoint.hints?.forZones, zone)
  return byZone ?? all
}

function hinted(
  ready: readonly Candidate[],
  hintsOf: (candidate: Candidate) => readonly { name: string }[] | undefined,
  name: string,
): Candidate[] | undefined {
  if (!ready.every(candidate => (hintsOf(candidate)?.length ?? 0) > 0)) return undefined
  const near = ready.filter(candidate => hintsOf(candidate)!.some(hint => hint.name === name))
  return near.length > 0 ? near : undefined
}

const addresses = (all: readonly Candidate[]): Backend[] => all.map(({ ip, port }) => ({ ip, port }))

/**
 * Endpoints on this node that a load balancer's health check counts: those ready for any port. Those that terminate
 * still serve, but nothing new is to be sent to a node that has no others.
 */
export function countLocalEndpoints(
  service: Service,
  slices: readonly EndpointSlice[],
  place: Place,
): number {
  const ips = new Set<string>()
  for (const port of service.spec.ports ?? []) {
    for (const { ip, endpoint } of candidates(port, slices))
      if (endpoint.nodeName === place.nodeName && isReady(endpoint)) ips.add(ip)
  }
  return ips.size
}
