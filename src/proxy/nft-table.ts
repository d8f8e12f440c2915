// The proxy's table in the kernel. Its skeleton is made by nft once; what changes afterwards goes through a netlink
// socket of our own, without a process per change. A table left by a run before is taken over as it is.
import { NETLINK, NetlinkSocket } from '../base/netlink/netlink-socket.ts'
import { identityOf, sameValue } from '../base/netlink/nft-elements.ts'
import {
  changeElements,
  listChains,
  listElements,
  readChain,
  readElements,
} from '../base/netlink/nft-messages.ts'
import type { Element, MapName } from './elements.ts'
import { addKeeps, addPicks, keepChain, LAYOUT, type LayoutFacts, layout, pickChain } from './layout.ts'
import { type IsKnown, RouteSweeper } from './route-sweeper.ts'
import type { Changes } from './rule-table.ts'
import { runNft } from './run-nft.ts'

export const MAPS: readonly MapName[] = [
  'services',
  'endpoints',
  'node-ports',
  'node-endpoints',
  'cluster-ips',
  'refused',
  'refused-node-ports',
  'hidden',
  'hidden-node-ports',
  'keep',
  'keep-node-ports',
  'hairpin',
  'restricted',
  'sources',
]

export class NftTable {
  readonly #facts: LayoutFacts
  readonly #netlink = new NetlinkSocket(NETLINK.netfilter)
  readonly #sweeper: RouteSweeper
  #chains = new Set<string>()

  constructor(facts: LayoutFacts) {
    this.#facts = facts
    this.#sweeper = new RouteSweeper(facts.table)
  }

  close(): void {
    this.#netlink.close()
    this.#sweeper.close()
  }

  /** Makes the table hold exactly these elements, in one step where a table is there already. */
  async install(wanted: readonly Element[]): Promise<void> {
    this.#readChains()
    if (!this.#chains.has(`${LAYOUT}-${this.#fingerprint()}`)) {
      await runNft(layout(this.#facts, this.#fingerprint()))
      this.#readChains()
    }
    await this.#addChains(wanted)
    const present = new Map(this.#list().map(element => [identityOf(element), element]))
    const changes: Changes = { remove: [], add: [] }
    for (const element of wanted) {
      const identity = identityOf(element)
      const old = present.get(identity)
      present.delete(identity)
      if (old && sameValue(old.value, element.value)) continue
      if (old) changes.remove.push(old)
      changes.add.push(element)
    }
    changes.remove.push(...present.values())
    await this.#change(changes)
  }

  /** All of it or nothing. Throws NetlinkError when the table is not what it was. */
  async apply(changes: Changes): Promise<void> {
    await this.#addChains(changes.add)
    await this.#change(changes)
  }

  /** Something may still go where nothing is any more. */
  get hasStaleRoutes(): boolean {
    return this.#sweeper.hasWork
  }

  forgetStaleRoutes(isKnown: IsKnown): void {
    this.#sweeper.sweep(isKnown)
  }

  async #change(changes: Changes): Promise<void> {
    if (changes.remove.length + changes.add.length === 0) return
    await this.#netlink.batchAside(changeElements(this.#facts.table, changes))
    this.#sweeper.note(changes)
  }

  /** Of everything that the skeleton depends on besides its own version. */
  #fingerprint(): string {
    const { podCidr, serviceCidr, bridge } = this.#facts
    return `${podCidr}-${serviceCidr}-${bridge}`.replace(/[^\w-]/g, '_')
  }

  #readChains(): void {
    const { table } = this.#facts
    const names = this.#netlink.dump(listChains()).map(body => readChain(table, body))
    this.#chains = new Set(names.filter(name => name !== undefined))
  }

  #list(): Element[] {
    const { table } = this.#facts
    return MAPS.flatMap(map =>
      this.#netlink.dump(listElements(table, map)).flatMap(body => readElements(map, body)),
    )
  }

  /** Chains per number of endpoints and per timeout, when seen for the first time. */
  async #addChains(elements: readonly Element[]): Promise<void> {
    const missing = new Set<string>()
    for (const { value } of elements) {
      if (value.to === 'chain' && !this.#chains.has(value.chain)) missing.add(value.chain)
    }
    if (missing.size === 0) return
    const numbers = (kind: RegExp) => [
      ...new Set([...missing].flatMap(name => (kind.test(name) ? [Number(name.match(/\d+$/)![0])] : []))),
    ]
    const picks = numbers(/^pick-/)
    const keeps = numbers(/^keep-/)
    const { table } = this.#facts
    await runNft(
      (picks.length > 0 ? addPicks(table, picks) : '') + (keeps.length > 0 ? addKeeps(table, keeps) : ''),
    )
    this.#readChains()
    for (const name of [...picks.map(pickChain), ...keeps.map(keepChain)]) this.#chains.add(name)
  }
}
