// Preemption for Pods that fit nowhere: asks preempt.ts for its judgement, keeps the promises of nodes, and has victims
// evicted. Upstream: preemption.Evaluator.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ClusterEvent } from '../cluster-event.ts'
import type { Nowhere } from '../schedule-one.ts'
import type { NominatedPods } from '../state/nominated-pods.ts'
import { writePodStatus } from '../write-pod-status.ts'
import type { Budget } from './disruption-budgets.ts'
import { makeRoom, type RoomParts } from './make-room.ts'
import { preempt } from './preempt.ts'
import type { Victims } from './victims.ts'

export interface PreemptorParts extends RoomParts {
  /** 0…1; breaks ties between equally good nodes. */
  random: () => number
  nominated: NominatedPods
  budgets: () => Budget[]
  onEvent: (event: ClusterEvent) => void
}

export interface PreemptionOutcome {
  /** What preemption says. */
  preemption?: string
  /** '': an old promise is over. */
  nominatedNode?: string
  /** Room is to be made by them. */
  victims?: Victims
}

export class Preemptor {
  readonly #parts: PreemptorParts

  constructor(parts: PreemptorParts) {
    this.#parts = parts
  }

  /** Promises the node to the Pod when room can be made there. */
  judge(pod: Pod, nowhere: Nowhere): PreemptionOutcome {
    if (nowhere.failure.nodeCount === 0) return {}
    const { clock, random, nominated } = this.#parts
    const { uid } = pod.metadata
    const promised = nominated.nodeOf(uid)
    const budgets = this.#parts.budgets()
    const preemption = preempt({ nowhere, budgets, promised, now: clock.now(), random })
    if (preemption.make === 'room') {
      const { victims } = preemption
      nominated.set(pod, victims.node)
      return { nominatedNode: victims.node, victims }
    }
    if (preemption.keepsPromise) return { preemption: preemption.message }
    nominated.remove(uid)
    return { preemption: preemption.message, nominatedNode: '' }
  }

  /** Never rejects: what fails is logged, and the promise is over. */
  async makeRoom(pod: Pod, victims: Victims): Promise<void> {
    const { log, nominated, onEvent } = this.#parts
    try {
      await this.#dropLesserPromises(pod, victims.node)
      await makeRoom(pod, victims, this.#parts)
    } catch (error) {
      const { name, namespace, uid } = pod.metadata
      log.warn({ error, pod: `${namespace}/${name}` }, 'a pod could not be preempted')
      nominated.remove(uid)
      onEvent({ what: 'nominationOver', node: victims.node })
    }
  }

  /** Less important Pods that were promised the node look for another one. */
  async #dropLesserPromises(pod: Pod, node: string): Promise<void> {
    const { nominated, onEvent } = this.#parts
    const before = new Set(nominated.before(pod, node))
    const lesser = nominated
      .on(node)
      .filter(other => other.metadata.uid !== pod.metadata.uid && !before.has(other))
    for (const other of lesser) nominated.remove(other.metadata.uid)
    await Promise.all(lesser.map(other => writePodStatus(other, { nominatedNode: '' }, this.#parts)))
    if (lesser.length > 0) onEvent({ what: 'nominationOver', node })
  }
}
