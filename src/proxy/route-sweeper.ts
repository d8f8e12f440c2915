// Makes the kernel forget what still goes to endpoints that are no more: connections, and clients it remembers.
import { type Connection, forgetConnection, listConnections } from '../base/netlink/conntrack.ts'
import { NETLINK, NetlinkError, NetlinkSocket } from '../base/netlink/netlink-socket.ts'
import { changeElements, listElements, readElements } from '../base/netlink/nft-messages.ts'
import type { Changes } from './rule-table.ts'
import {
  isStaleMemory,
  isUdp,
  mergeStale,
  NOTHING_STALE,
  remembers,
  staleRouteOf,
  staleRoutes,
} from './stale-routes.ts'

const MEMORY = 'affinity'

/** Does an endpoint with this address exist, whether it takes traffic or not? */
export type IsKnown = (ip: string) => boolean

/**
 * Datagrams are sent elsewhere at once. Streams go on as long as their endpoint exists (it may be finishing them), and
 * are refused once it is gone, instead of waiting for nobody.
 */
export class RouteSweeper {
  readonly #table: string
  readonly #netlink = new NetlinkSocket(NETLINK.netfilter)
  /** Noted, and not swept yet. */
  #stale = NOTHING_STALE
  /** Routes of streams whose endpoints take nothing new, but exist. */
  readonly #lingering = new Set<string>()
  /** False: no Service remembers clients. An earlier run may have left some that do. */
  #hasMemory = true

  constructor(table: string) {
    this.#table = table
  }

  close(): void {
    this.#netlink.close()
  }

  /** To be told of every change that is made. Costs next to nothing. */
  note(changes: Changes): void {
    const stale = staleRoutes(changes)
    for (const route of stale.added) this.#lingering.delete(route)
    this.#stale = mergeStale(this.#stale, stale)
    this.#hasMemory ||= changes.add.some(remembers)
  }

  /** Lists connections: some milliseconds on a busy machine. */
  sweep(isKnown: IsKnown): void {
    const stale = this.#stale
    if (stale.routes.size + stale.forgetful.size > 0 && this.#hasMemory) this.#forgetClients()
    this.#forgetConnections(isKnown)
    this.#stale = NOTHING_STALE
  }

  get hasWork(): boolean {
    return this.#stale.routes.size + this.#stale.forgetful.size + this.#lingering.size > 0
  }

  #forgetConnections(isKnown: IsKnown): void {
    const routes = new Set([...this.#stale.routes, ...this.#lingering])
    if (routes.size === 0) return
    this.#lingering.clear()
    for (const connection of listConnections(this.#netlink)) {
      const route = staleRouteOf(connection, routes)
      if (route === undefined) continue
      if (mayGoOn(connection, isKnown)) this.#lingering.add(route)
      else forgetConnection(this.#netlink, connection)
    }
  }

  #forgetClients(): void {
    const bodies = this.#netlink.dump(listElements(this.#table, MEMORY))
    const remembered = bodies.flatMap(body => readElements(MEMORY, body))
    for (const element of remembered) {
      if (!isStaleMemory(element, this.#stale)) continue
      try {
        this.#netlink.batch(changeElements(this.#table, { remove: [element], add: [] }))
      } catch (error) {
        // Its time was over meanwhile.
        if (!(error instanceof NetlinkError) || error.code !== 'ENOENT') throw error
      }
    }
  }
}

const mayGoOn = (connection: Connection, isKnown: IsKnown) =>
  !isUdp(connection) && isKnown(connection.answerer)
