// Which nodes get a Pod of a DaemonSet and which Pods go. Pure: no I/O, no clock.
// Upstream: manage, podsShouldBeOnNode and rollingUpdate in pkg/controller/daemon.
import type { DaemonSet } from '../../api/types/apps-v1.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { createdAt, isAvailable, isReady } from '../pod-control/pod-state.ts'
import { isUpdated, targetNode } from './daemon-pod.ts'
import { nodeFit } from './node-fit.ts'
import { updateLimits } from './update-limits.ts'

export interface DaemonPlan {
  /** Names of nodes. */
  create: string[]
  delete: Pod[]
  /** Finished Pods among those to delete, with the names of their nodes. */
  finished: { pod: Pod; node: string }[]
}

export interface ObservedDaemons {
  nodes: readonly Node[]
  /** Those that it owns. */
  pods: readonly Pod[]
  /** The newest revision's. */
  hash: string
  /** A Pod failed there a short while ago: it stays for now. */
  isBackingOff(node: string): boolean
}

export type PodsByNode = ReadonlyMap<string, readonly Pod[]>

/**
 * By the node where they run or are to run. The oldest first, those that have a node before others; finished ones that
 * are being deleted are not in the way of another.
 */
export function podsByNode(pods: readonly Pod[]): PodsByNode {
  const byNode = new Map<string, Pod[]>()
  for (const pod of [...pods].sort(scheduledAndOldFirst)) {
    const name = targetNode(pod)
    if (name === undefined || (isFinished(pod) && isGoing(pod))) continue
    const there = byNode.get(name)
    if (there) there.push(pod)
    else byNode.set(name, [pod])
  }
  return byNode
}

function scheduledAndOldFirst(a: Pod, b: Pod): number {
  return (
    Number(!a.spec.nodeName) - Number(!b.spec.nodeName) ||
    createdAt(a) - createdAt(b) ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  )
}

const isGoing = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined
const isFinished = ({ status }: Pod) => status.phase === 'Failed' || status.phase === 'Succeeded'

/** One Pod on each node that shall have one, none elsewhere. `now` in epoch milliseconds. Upstream: manage. */
export function planPlaces(set: DaemonSet, observed: ObservedDaemons, now: number): DaemonPlan {
  const plan: DaemonPlan = { create: [], delete: [], finished: [] }
  const byNode = podsByNode(observed.pods)
  for (const node of observed.nodes) planNode(set, node, byNode, observed, now, plan)
  const known = new Set(observed.nodes.map(({ metadata }) => metadata.name))
  for (const [node, pods] of byNode) {
    // Those that wait for a node that is no more; the others are left to the collector of orphaned Pods.
    if (!known.has(node)) plan.delete.push(...pods.filter(pod => !pod.spec.nodeName && !isGoing(pod)))
  }
  return plan
}

function planNode(
  set: DaemonSet,
  node: Node,
  byNode: PodsByNode,
  { hash, isBackingOff }: ObservedDaemons,
  now: number,
  plan: DaemonPlan,
): void {
  const { name } = node.metadata
  const { shouldRun, mayStay } = nodeFit(set, node)
  const pods = byNode.get(name) ?? []
  if (pods.length === 0) {
    if (shouldRun) plan.create.push(name)
    return
  }
  const standing = pods.filter(pod => !isGoing(pod))
  if (!mayStay) {
    plan.delete.push(...standing)
    return
  }
  const finished = standing.filter(isFinished)
  for (const pod of finished) {
    if (pod.status.phase === 'Failed' && isBackingOff(name)) continue
    plan.finished.push({ pod, node: name })
    plan.delete.push(pod)
  }
  const running = standing.filter(pod => !isFinished(pod))
  if (running.length > 1) plan.delete.push(...surplus(set, running, hash, now))
}

/** With surge an old and a new one may stand side by side for a while. */
function surplus(set: DaemonSet, running: readonly Pod[], hash: string, now: number): Pod[] {
  if (!allowsSurge(set)) return running.slice(1)
  const newest = running.find(pod => isUpdated(pod, hash))
  const old = running.find(pod => !isUpdated(pod, hash))
  const others = running.filter(pod => pod !== newest && pod !== old)
  if (!newest || !old) return others
  const isReplaced = !isReady(old) || isAvailable(newest, set.spec.minReadySeconds, now)
  return isReplaced ? [...others, old] : others
}

/** Upstream: AllowsSurge. */
function allowsSurge(set: DaemonSet): boolean {
  return updateLimits(set, 1).maxSurge > 0
}

interface Place {
  node: string
  newPod?: Pod
  oldPod?: Pod
  /** Two of one kind: left to planPlaces. */
  isUnclear: boolean
}

/** The next step of a rolling update. Upstream: rollingUpdate. */
export function planUpdate(set: DaemonSet, observed: ObservedDaemons, now: number): DaemonPlan {
  const nothing: DaemonPlan = { create: [], delete: [], finished: [] }
  if (set.spec.updateStrategy.type !== 'RollingUpdate') return nothing
  const byNode = podsByNode(observed.pods)
  const wanted = observed.nodes
    .filter(node => nodeFit(set, node).shouldRun)
    .map(({ metadata }) => metadata.name)
  const names = [...new Set([...wanted, ...byNode.keys()])]
  const places = names.map(node => placeOf(node, byNode.get(node) ?? [], observed.hash))
  const { maxUnavailable, maxSurge } = updateLimits(set, wanted.length)
  const isUp = (pod: Pod) => isAvailable(pod, set.spec.minReadySeconds, now)
  return maxSurge > 0 ? surge(places, maxSurge, isUp) : replace(places, maxUnavailable, isUp)
}

function placeOf(node: string, pods: readonly Pod[], hash: string): Place {
  const standing = pods.filter(pod => !isGoing(pod))
  const updated = standing.filter(pod => isUpdated(pod, hash))
  const old = standing.filter(pod => !isUpdated(pod, hash))
  const isUnclear = updated.length > 1 || old.length > 1
  return { node, isUnclear, ...(updated[0] && { newPod: updated[0] }), ...(old[0] && { oldPod: old[0] }) }
}

/** Old ones that serve nobody go at once, others while few enough are unavailable. */
function replace(places: readonly Place[], maxUnavailable: number, isUp: (pod: Pod) => boolean): DaemonPlan {
  const isOnlyOld = ({ newPod, oldPod, isUnclear }: Place) => !isUnclear && !newPod && oldPod !== undefined
  const outdated = places.filter(isOnlyOld).map(({ oldPod }) => oldPod!)
  const down = outdated.filter(pod => !isUp(pod))
  const unavailable = places.filter(place => {
    if (isOnlyOld(place)) return !isUp(place.oldPod!)
    const isOnlyNew = !place.isUnclear && place.newPod !== undefined && !place.oldPod
    return !isOnlyNew || !isUp(place.newPod!)
  })
  const budget = Math.max(maxUnavailable - unavailable.length, 0)
  const others = outdated.filter(pod => isUp(pod)).slice(0, budget)
  return { create: [], delete: [...down, ...others], finished: [] }
}

/** The new one comes first; the old one goes when it is available. */
function surge(places: readonly Place[], maxSurge: number, isUp: (pod: Pod) => boolean): DaemonPlan {
  const both = places.filter(({ newPod, oldPod, isUnclear }) => !isUnclear && newPod && oldPod)
  const waiting = both.filter(({ newPod }) => !isUp(newPod!))
  const onlyOld = places.filter(({ newPod, oldPod, isUnclear }) => !isUnclear && !newPod && oldPod)
  const down = onlyOld.filter(({ oldPod }) => !isUp(oldPod!))
  const surging = places.filter(({ isUnclear }) => isUnclear).length + waiting.length
  const others = onlyOld.filter(({ oldPod }) => isUp(oldPod!)).slice(0, Math.max(maxSurge - surging, 0))
  return {
    create: [...down, ...others].map(({ node }) => node),
    delete: both.filter(({ newPod }) => isUp(newPod!)).map(({ oldPod }) => oldPod!),
    finished: [],
  }
}
