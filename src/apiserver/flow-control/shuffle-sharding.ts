// Which queues a flow may use: a hand of few, dealt from all by the flow's hash, so that two flows hardly ever share
// all of them. Pure. Upstream: apiserver pkg/util/shufflesharding and hashFlowID.
import { hash } from 'node:crypto'

/** 64 bits that two flows hardly ever share. */
export function hashFlow(schema: string, distinguisher: string): bigint {
  return hash('sha256', `${schema}\0${distinguisher}`, 'buffer').readBigUInt64LE(0)
}

/** `handSize` different numbers below `deckSize`; the same ones for the same hash. */
export function deal(flow: bigint, deckSize: number, handSize: number): number[] {
  const hand: number[] = []
  let left = flow
  for (let dealt = 0; dealt < handSize; dealt++) {
    const rest = BigInt(deckSize - dealt)
    hand.push(nth(hand, Number(left % rest)))
    left /= rest
  }
  return hand
}

/** The card that stands at this place among those not dealt yet. */
function nth(dealt: readonly number[], place: number): number {
  return dealt.toSorted((a, b) => a - b).reduce((card, taken) => (card >= taken ? card + 1 : card), place)
}
