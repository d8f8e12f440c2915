// Makes the kernel forget what still goes to endpoints that are no more: connections, and clients it remembers.
import { type Connection, forgetConnection, listConnections } from '../base/netlink/conntrack.ts'
import { NETLINK, NetlinkError, NetlinkSocket } from '../base/netlink/netlink-socket.ts'
import { changeElements, listElements, readElements } from '../base/netlink/nft-messages.ts'
import type { Changes } from './rule-table.ts'
import { isStaleMemory, isUdp, type StaleRoutes, staleRouteOf, staleRoutes } from './stale-routes.ts'

const MEMORY = 'affinity'

/** Does an endpoint with this address exist, whether it takes traffic or not? */
export type IsKnown = (ip: string) => boolean

/**
 * Datagrams are sent elsewhere at once. Streams go on as long as their endpoint exists (it may be finishing them), and
 * are refused once it is gone, instead of waiting for nobody.
 */
export class RouteSweeper {
  readonly #table: string
  /** Routes of streams whose endpoints take nothing new, but exist. */
  readonly #lingering = new Set<string>()

  constructor(table: string) {
    this.#table = table
  }

  /** After `changes` were made. */
  sweep(changes: Changes, isKnown: IsKnown): void {
    const stale = staleRoutes(changes)
    for (const route of stale.added) this.#lingering.delete(route)
    if (stale.routes.size + stale.forgetful.size + this.#lingering.size === 0) return
    const netlink = new NetlinkSocket(NETLINK.netfilter)
    try {
      if (stale.routes.size + stale.forgetful.size > 0) this.#forgetClients(netlink, stale)
      this.#forgetConnections(netlink, stale, isKnown)
    } finally {
      netlink.close()
    }
  }

  #forgetConnections(netlink: NetlinkSocket, stale: StaleRoutes, isKnown: IsKnown): void {
    const routes = new Set([...stale.routes, ...this.#lingering])
    if (routes.size === 0) return
    this.#lingering.clear()
    for (const connection of listConnections(netlink)) {
      const route = staleRouteOf(connection, routes)
      if (route === undefined) continue
      if (mayGoOn(connection, isKnown)) this.#lingering.add(route)
      else forgetConnection(netlink, connection)
    }
  }

  #forgetClients(netlink: NetlinkSocket, stale: StaleRoutes): void {
    const bodies = netlink.dump(listElements(this.#table, MEMORY))
    for (const element of bodies.flatMap(body => readElements(MEMORY, body))) {
      if (!isStaleMemory(element, stale)) continue
      try {
        netlink.batch(changeElements(this.#table, { remove: [element], add: [] }))
      } catch (error) {
        // Its time was over meanwhile.
        if (!(error instanceof NetlinkError) || error.code !== 'ENOENT') throw error
      }
    }
  }
}

const mayGoOn = (connection: Connection, isKnown: IsKnown) =>
  !isUdp(connection) && isKnown(connection.answerer)
