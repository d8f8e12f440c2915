// On which of several nodes to make room: where it does the least harm. Pure. Upstream: pickOneNodeForPreemption.
import { priorityOf } from '../../api/pod/priority.ts'
import { startOf, type Victims } from './victims.ts'

/** The first of those that are best by one rule after the other. */
export function chooseCandidate(candidates: readonly Victims[], now: number): Victims | undefined {
  let left = candidates
  for (const harm of RULES) {
    if (left.length < 2) break
    const harms = left.map(candidate => harm(candidate, now))
    const least = Math.min(...harms)
    left = left.filter((_, index) => harms[index] === least)
  }
  return left[0]
}

/** So that many Pods of low priority weigh more than few of them. */
const OFFSET = 2 ** 31

const RULES: readonly ((victims: Victims, now: number) => number)[] = [
  ({ violations }) => violations,
  ({ pods }) => (pods[0] ? priorityOf(pods[0]) : Number.NEGATIVE_INFINITY),
  ({ pods }) => pods.reduce((sum, pod) => sum + priorityOf(pod) + OFFSET, 0),
  ({ pods }) => pods.length,
  // Where the most important victims have run for the shortest time.
  ({ pods }, now) => -earliestStart(pods, now),
]

function earliestStart(pods: Victims['pods'], now: number): number {
  const highest = pods[0] ? priorityOf(pods[0]) : 0
  return Math.min(...pods.filter(pod => priorityOf(pod) === highest).map(pod => startOf(pod, now)))
}
