// Which ways from a frontend to an endpoint are no more after a change of the maps: connections and remembered clients
// that still go there are to be forgotten. Pure. Upstream: pkg/proxy/conntrack/cleanup.go, which does so for UDP only.
import type { Connection } from '../base/netlink/conntrack.ts'
import {
  endpointBytes,
  ipBytes,
  type NftElement,
  portBytes,
  protocolNumber,
} from '../base/netlink/nft-elements.ts'
import type { Element } from './elements.ts'
import type { Changes } from './rule-table.ts'

const NUMBERED = new Set(['endpoints', 'node-endpoints'])
const IP_BYTES = 4
const COUNTER_BYTES = 4
/** Address, protocol. */
const BEFORE_PORT = 8

export interface StaleRoutes {
  /** 'frontend>endpoint' in hexadecimal. */
  readonly routes: ReadonlySet<string>
  /** Those that are there now. */
  readonly added: ReadonlySet<string>
  /** Frontends that no longer remember clients. */
  readonly forgetful: ReadonlySet<string>
}

const hex = (bytes: Buffer) => bytes.toString('hex')
const routeOf = (frontend: Buffer, endpoint: Buffer) => `${hex(frontend)}>${hex(endpoint)}`

/** An endpoint stands behind a frontend once, so that one removed and not added again is gone from there. */
export function staleRoutes(changes: Changes): StaleRoutes {
  const added = new Set(changes.add.flatMap(routesOf))
  const removed = changes.remove.flatMap(routesOf).filter(route => !added.has(route))
  return { routes: new Set(removed), added, forgetful: forgetful(changes) }
}

function routesOf({ map, key, value }: Element): string[] {
  if (NUMBERED.has(map) && value.to === 'data')
    return [routeOf(key.subarray(0, key.length - COUNTER_BYTES), value.bytes)]
  // Datagrams that nobody answered went on to the frontend itself. A refused stream leaves no trace.
  if (map === 'refused' && key[IP_BYTES] === protocolNumber.UDP)
    return [routeOf(key, Buffer.concat([key.subarray(0, IP_BYTES), key.subarray(BEFORE_PORT)]))]
  return []
}

export const NOTHING_STALE: StaleRoutes = { routes: new Set(), added: new Set(), forgetful: new Set() }

/** What is stale after one change and then another. */
export function mergeStale(before: StaleRoutes, after: StaleRoutes): StaleRoutes {
  if (before.routes.size + before.forgetful.size === 0) return after
  const routes = new Set([...before.routes].filter(route => !after.added.has(route)))
  for (const route of after.routes) routes.add(route)
  const forgetful = new Set([...before.forgetful, ...after.forgetful])
  return { routes, added: after.added, forgetful }
}

const KEEPERS = new Set(['keep', 'keep-node-ports'])

/** Does the element make a Service remember its clients? */
export const remembers = ({ map }: Element): boolean => KEEPERS.has(map)

function forgetful({ remove, add }: Changes): Set<string> {
  const keeps = (elements: readonly Element[]) => elements.filter(remembers).map(({ key }) => hex(key))
  const still = new Set(keeps(add))
  return new Set(keeps(remove).filter(key => !still.has(key)))
}

/** A frontend at an address, and the same at any address of the node. */
const frontends = (key: Buffer) => [key, key.subarray(IP_BYTES)]

/** The one of `routes` that the connection takes. */
export function staleRouteOf(connection: Connection, routes: ReadonlySet<string>): string | undefined {
  const { protocolNumber: number, destination, destinationPort, answerer, answererPort } = connection
  const key = Buffer.concat([
    ipBytes(destination),
    Buffer.from([number, 0, 0, 0]),
    portBytes(destinationPort),
  ])
  const endpoint = endpointBytes(answerer, answererPort)
  return frontends(key)
    .map(frontend => routeOf(frontend, endpoint))
    .find(route => routes.has(route))
}

/** `element` is of the map of remembered clients: client, frontend → endpoint. */
export function isStaleMemory({ key, value }: NftElement, { routes, forgetful: all }: StaleRoutes): boolean {
  if (value.to !== 'data') return false
  return frontends(key.subarray(IP_BYTES)).some(
    frontend => all.has(hex(frontend)) || routes.has(routeOf(frontend, value.bytes)),
  )
}

/** Datagrams know no end: only forgetting makes them go elsewhere. */
export const isUdp = ({ protocolNumber: number }: Connection): boolean => number === protocolNumber.UDP
