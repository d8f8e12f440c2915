// Which elements are wanted, by whom, and what must change for it. Two Services may want the same element (hairpin) or
// different values for one key (the same external address): then the first keeps it, and the other gets it after.
import { identityOf, sameValue } from '../base/netlink/nft-elements.ts'
import type { Element } from './elements.ts'

export interface Changes {
  remove: Element[]
  add: Element[]
}

interface Claim {
  owner: string
  element: Element
}

export class RuleTable {
  /** By identity; the first claim is the one installed. */
  readonly #claims = new Map<string, Claim[]>()
  readonly #identitiesOf = new Map<string, string[]>()

  /** Replaces all that the owner wants; answers what to change for it, in an order that nft accepts. */
  set(owner: string, elements: readonly Element[]): Changes {
    const wanted = new Map(elements.map(element => [identityOf(element), element]))
    const before = this.#identitiesOf.get(owner) ?? []
    const changes: Changes = { remove: [], add: [] }
    for (const identity of new Set([...before, ...wanted.keys()])) {
      this.#change(identity, owner, wanted.get(identity), changes)
    }
    if (wanted.size > 0) this.#identitiesOf.set(owner, [...wanted.keys()])
    else this.#identitiesOf.delete(owner)
    return changes
  }

  #change(identity: string, owner: string, element: Element | undefined, { remove, add }: Changes): void {
    const claims = this.#claims.get(identity) ?? []
    const installed = claims[0]?.element
    const next = claims.map(claim => (claim.owner === owner && element ? { owner, element } : claim))
    const kept = element ? next : next.filter(claim => claim.owner !== owner)
    if (element && !claims.some(claim => claim.owner === owner)) kept.push({ owner, element })
    if (kept.length > 0) this.#claims.set(identity, kept)
    else this.#claims.delete(identity)
    const first = kept[0]?.element
    if (installed && first && sameValue(installed.value, first.value)) return
    if (installed) remove.push(installed)
    if (first) add.push(first)
  }

  owners(): string[] {
    return [...this.#identitiesOf.keys()]
  }

  /** What the owner has installed: all that it wants, but for what another one wanted first. */
  elementsOf(owner: string): Element[] {
    return (this.#identitiesOf.get(owner) ?? []).flatMap(identity => {
      const [first] = this.#claims.get(identity) ?? []
      return first?.owner === owner ? [first.element] : []
    })
  }

  /** All that is to be installed. */
  elements(): Element[] {
    return [...this.#claims.values()].map(claims => claims[0]!.element)
  }
}

/** Changes of several owners in a row may touch one key twice: only first and last state count. */
export function netChanges(steps: readonly Changes[]): Changes {
  const first = new Map<string, Element | undefined>()
  const last = new Map<string, Element | undefined>()
  for (const { remove, add } of steps) {
    for (const element of remove) {
      const identity = identityOf(element)
      if (!first.has(identity)) first.set(identity, element)
      last.set(identity, undefined)
    }
    for (const element of add) {
      const identity = identityOf(element)
      if (!first.has(identity)) first.set(identity, undefined)
      last.set(identity, element)
    }
  }
  const changes: Changes = { remove: [], add: [] }
  for (const [identity, before] of first) {
    const after = last.get(identity)
    if (before && after && sameValue(before.value, after.value)) continue
    if (before) changes.remove.push(before)
    if (after) changes.add.push(after)
  }
  return changes
}
