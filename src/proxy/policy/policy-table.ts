// The table of NetworkPolicies in the kernel; a table left by a run before is taken over.
import { NETLINK, NetlinkSocket } from '../../base/netlink/netlink-socket.ts'
import { identityOf } from '../../base/netlink/nft-elements.ts'
import {
  changeElements,
  listChains,
  listElements,
  readChain,
  readElements,
} from '../../base/netlink/nft-messages.ts'
import { runNft } from '../run-nft.ts'
import { POLICY_LAYOUT, POLICY_MAPS, type PolicyElement, policyLayout } from './policy-layout.ts'

export interface PolicyTarget {
  /** Makes it hold exactly these, in one step. */
  replace(elements: readonly PolicyElement[]): Promise<void>
}

export class PolicyTable implements PolicyTarget {
  readonly #table: string
  readonly #netlink = new NetlinkSocket(NETLINK.netfilter)
  /** Undefined: not looked at yet, or not sure after a failure. */
  #present: Map<string, PolicyElement> | undefined
  /** Looked at, and nothing was there: most clusters have no policy, and every change of a pod asks. */
  #isAbsent = false

  constructor(table: string) {
    this.#table = table
  }

  close(): void {
    this.#netlink.close()
  }

  async replace(elements: readonly PolicyElement[]): Promise<void> {
    if (elements.length === 0 && !this.#present) {
      this.#isAbsent ||= !this.#isThere()
      if (this.#isAbsent) return
    }
    this.#isAbsent = false
    const before = this.#present ?? (await this.#takeOver())
    this.#present = undefined
    const wanted = new Map(elements.map(element => [identityOf(element), element]))
    const remove = [...before].flatMap(([identity, element]) => (wanted.has(identity) ? [] : [element]))
    const add = [...wanted].flatMap(([identity, element]) => (before.has(identity) ? [] : [element]))
    if (remove.length + add.length > 0)
      await this.#netlink.batchAside(changeElements(this.#table, { remove, add }))
    this.#present = wanted
  }

  #isThere(): boolean {
    const chains = this.#netlink.dump(listChains()).map(body => readChain(this.#table, body))
    return chains.includes(POLICY_LAYOUT)
  }

  async #takeOver(): Promise<Map<string, PolicyElement>> {
    if (!this.#isThere()) await runNft(policyLayout(this.#table))
    const elements = POLICY_MAPS.flatMap(map =>
      this.#netlink.dump(listElements(this.#table, map)).flatMap(body => readElements(map, body)),
    )
    return new Map(elements.map(element => [identityOf(element), element]))
  }
}
