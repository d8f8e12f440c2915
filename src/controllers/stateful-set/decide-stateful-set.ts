// What to do now for a StatefulSet's Pods. Pure: no I/O, no clock. Upstream: updateStatefulSet in
// stateful_set_control.go; the order of replicas, of those to go, and of updates is a promise.

import { scaledCount } from '../../api/int-or-percent.ts'
import type { Draft } from '../../api/kube-object.ts'
import type { StatefulSet } from '../../api/types/apps-v1.ts'
import type { Pod, PodTemplateSpec } from '../../api/types/core-v1.ts'
import { isAvailable, isReady, isTerminal } from '../pod-control/pod-state.ts'
import { isInRange, ordinalOf, replicasOf, startOrdinal } from './ordinals.ts'
import { hasIdentity, hasStorage, newStatefulPod, revisionOfPod } from './stateful-pod.ts'

export type StatefulAction =
  /** Its claims first. */
  | { do: 'create'; pod: Draft<Pod>; ordinal: number }
  /** It waits to be scheduled: claims that somebody deleted are made anew. */
  | { do: 'makeClaims'; pod: Pod }
  /** Its labels, volumes or the owners of its claims are not right. */
  | { do: 'repair'; pod: Pod }
  /** It is to be scaled away: its claims may have to go with it. */
  | { do: 'giveClaims'; pod: Pod }
  | { do: 'delete'; pod: Pod; why: 'finished' | 'scaled down' | 'update' }

export interface VersionedTemplate {
  /** The ControllerRevision's name. */
  revision: string
  template: PodTemplateSpec
}

export interface ObservedSet {
  /** Those that it owns. */
  pods: readonly Pod[]
  current: VersionedTemplate
  update: VersionedTemplate
  /** The owners of the Pod's claims are as the retention policy wants them. */
  claimsAreRight(pod: Pod): boolean
  /** A claim of a Pod that is to be created goes away with an earlier Pod: it must be gone first. */
  claimIsStale(ordinal: number): boolean
}

/** Each phase begins when the one before was carried out without a failure. */
export type Phases = StatefulAction[][]

export function decideStatefulSet(set: StatefulSet, observed: ObservedSet, now: number): Phases {
  if (set.metadata.deletionTimestamp) return []
  const judge = new Judge(set, observed, now)
  const replicas = judge.replicas()
  if (replicas.blocked) return [replicas.actions]
  const condemned = judge.condemned()
  const phases = [replicas.actions, condemned.claims, condemned.actions]
  return condemned.blocked ? phases : [...phases, judge.updates()]
}

class Judge {
  readonly #set: StatefulSet
  readonly #observed: ObservedSet
  readonly #now: number
  /** By ordinal less the first one; undefined where there is no Pod. */
  readonly #replicas: (Pod | undefined)[]
  /** The highest ordinal first. */
  readonly #condemned: Pod[]
  /** One after the other: podManagementPolicy OrderedReady. */
  readonly #ordered: boolean

  constructor(set: StatefulSet, observed: ObservedSet, now: number) {
    this.#set = set
    this.#observed = observed
    this.#now = now
    this.#ordered = set.spec.podManagementPolicy !== 'Parallel'
    this.#replicas = Array.from({ length: replicasOf(set) }, () => undefined)
    const isReplica = (pod: Pod) => isInRange(set, pod)
    for (const pod of observed.pods.filter(isReplica))
      this.#replicas[ordinalOf(pod) - startOrdinal(set)] = pod
    this.#condemned = observed.pods
      .filter(pod => !isReplica(pod) && ordinalOf(pod) >= 0)
      .sort((a, b) => ordinalOf(b) - ordinalOf(a))
  }

  /** Upstream: processReplica for each; `blocked`: nothing further may be done now. */
  replicas(): { actions: StatefulAction[]; blocked: boolean } {
    const actions: StatefulAction[] = []
    for (const [index, pod] of this.#replicas.entries()) {
      const step = pod ? this.#keep(pod) : this.#create(startOrdinal(this.#set) + index)
      actions.push(...step.actions)
      if (step.blocks && this.#ordered) return { actions, blocked: true }
    }
    return { actions, blocked: false }
  }

  #create(ordinal: number): { actions: StatefulAction[]; blocks: boolean } {
    if (this.#observed.claimIsStale(ordinal)) return { actions: [], blocks: true }
    const pod = newStatefulPod(this.#set, ordinal, this.#versionFor(ordinal))
    return { actions: [{ do: 'create', pod, ordinal }], blocks: true }
  }

  /** Below the partition the current revision stays. Upstream: newVersionedStatefulSetPod. */
  #versionFor(ordinal: number): VersionedTemplate {
    const { current, update } = this.#observed
    const { type, rollingUpdate } = this.#set.spec.updateStrategy
    if (type !== 'RollingUpdate') return update
    const kept = rollingUpdate ? (rollingUpdate.partition ?? 0) : (this.#set.status.currentReplicas ?? 0)
    return ordinal < startOrdinal(this.#set) + kept ? current : update
  }

  #keep(pod: Pod): { actions: StatefulAction[]; blocks: boolean } {
    if (isTerminal(pod)) {
      const isGoing = pod.metadata.deletionTimestamp !== undefined
      return { actions: isGoing ? [] : [{ do: 'delete', pod, why: 'finished' }], blocks: true }
    }
    const actions: StatefulAction[] = []
    if (pod.status.phase === 'Pending') actions.push({ do: 'makeClaims', pod })
    if (this.#ordered && this.#isUnavailable(pod)) return { actions, blocks: true }
    const isRight =
      hasIdentity(this.#set, pod) && hasStorage(this.#set, pod) && this.#observed.claimsAreRight(pod)
    return { actions: isRight ? actions : [...actions, { do: 'repair', pod }], blocks: false }
  }

  /** The highest ordinal first, and each only when all others are well, unless it is the one that is not. */
  condemned(): { claims: StatefulAction[]; actions: StatefulAction[]; blocked: boolean } {
    const claims: StatefulAction[] = this.#condemned
      .filter(pod => !this.#observed.claimsAreRight(pod))
      .map(pod => ({ do: 'giveClaims', pod }))
    const standing = this.#condemned.filter(({ metadata }) => !metadata.deletionTimestamp)
    const toDelete = (pod: Pod): StatefulAction => ({ do: 'delete', pod, why: 'scaled down' })
    if (!this.#ordered) return { claims, actions: standing.map(toDelete), blocked: false }
    const [next] = this.#condemned
    if (!next) return { claims, actions: [], blocked: false }
    const isGoing = next.metadata.deletionTimestamp !== undefined
    // Upstream waits for others that are not well even when this one has ended for good, and then for ever.
    const isBlocked = this.#isUnavailable(next) && next !== this.#firstUnavailable() && !isTerminal(next)
    const mayGo = !isGoing && !isBlocked
    return { claims, actions: mayGo ? [toDelete(next)] : [], blocked: true }
  }

  /** The lowest ordinal that is not well; replicas before those that are to go. */
  #firstUnavailable(): Pod | undefined {
    const inOrder = [...this.#replicas, ...this.#condemned.toReversed()]
    return inOrder.find(pod => pod && this.#isUnavailable(pod))
  }

  updates(): StatefulAction[] {
    const { type, rollingUpdate } = this.#set.spec.updateStrategy
    if (type === 'OnDelete') return []
    const standing = this.#replicas.filter(pod => pod !== undefined)
    const missing = this.#replicas.length - standing.length
    const unavailable = missing + standing.filter(pod => this.#isUnavailable(pod)).length
    const budget = Math.max(this.#maxUnavailable() - unavailable, 0)
    const outdated = this.#replicas
      .slice(Math.min(rollingUpdate?.partition ?? 0, this.#replicas.length))
      .filter(pod => pod !== undefined)
      .filter(pod => !pod.metadata.deletionTimestamp && !isTerminal(pod))
      .filter(pod => revisionOfPod(pod) !== this.#observed.update.revision)
      .toReversed()
    // Those that serve nobody cost nothing. In order all are well when it comes to updates.
    const free = this.#ordered ? [] : outdated.filter(pod => this.#isUnavailable(pod))
    const others = outdated.filter(pod => !free.includes(pod)).slice(0, budget)
    return [...free, ...others].map(pod => ({ do: 'delete', pod, why: 'update' }))
  }

  /** Rounded up, and one at least. Upstream: getStatefulSetMaxUnavailable. */
  #maxUnavailable(): number {
    const { maxUnavailable } = this.#set.spec.updateStrategy.rollingUpdate ?? {}
    return Math.max(scaledCount(maxUnavailable ?? 1, this.#replicas.length, 'up'), 1)
  }

  #isUnavailable(pod: Pod): boolean {
    return !isRunningAndAvailable(pod, this.#set, this.#now) || pod.metadata.deletionTimestamp !== undefined
  }
}

export const isRunningAndReady = (pod: Pod): boolean => pod.status.phase === 'Running' && isReady(pod)

export const isRunningAndAvailable = (pod: Pod, { spec }: StatefulSet, now: number): boolean =>
  isRunningAndReady(pod) && isAvailable(pod, spec.minReadySeconds, now)
