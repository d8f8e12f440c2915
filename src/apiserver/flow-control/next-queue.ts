// Whose turn it is. Pure. Upstream: findDispatchQueueToBoundLocked in fairqueuing/queueset.
import type { FairQueue, Queued } from './fair-queue.ts'
import { EXPECTED_SECONDS } from './ticket.ts'

interface Range {
  min: number
  max: number
}

/** Over the queues in which somebody waits: their virtual starts, and the same less the work under way. */
export interface QueueBounds {
  starts: Range
  discounted: Range
}

/**
 * The queue whose oldest one would, virtually, be done first; among equals the next after the one that was served last.
 * Somebody waits in one of them at least.
 */
export function nextQueue<T extends Queued>(
  queues: Iterable<FairQueue<T>>,
  lastServed: number,
): QueueBounds & { queue: FairQueue<T> } {
  const starts: Range = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }
  const discounted: Range = { ...starts }
  let best: FairQueue<T> | undefined
  let bestFinish = Number.POSITIVE_INFINITY
  for (const queue of queues) {
    const { oldest, nextDispatch } = queue
    if (!oldest) continue
    widen(starts, nextDispatch)
    widen(discounted, nextDispatch - queue.seatsInUse * EXPECTED_SECONDS)
    const finish = nextDispatch + oldest.totalWork
    const isBetter = finish < bestFinish || (finish === bestFinish && isSooner(queue, best, lastServed))
    if (best && !isBetter) continue
    best = queue
    bestFinish = finish
  }
  return { queue: best!, starts, discounted }
}

function isSooner(
  queue: { index: number },
  other: { index: number } | undefined,
  lastServed: number,
): boolean {
  if (!other) return true
  const isAhead = queue.index > lastServed
  return isAhead === other.index > lastServed ? queue.index < other.index : isAhead
}

function widen(range: Range, value: number): void {
  range.min = Math.min(range.min, value)
  range.max = Math.max(range.max, value)
}
