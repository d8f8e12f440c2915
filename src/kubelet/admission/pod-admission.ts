// Whether a pod that is new to the node is taken. What the node lacks is looked at twice, and a critical pod may have
// others make room for it. Upstream: lifecycle/predicate.go, preemption/preemption.go.
import type { Node, Pod } from '../../api/types/core-v1.ts'
import type { NodePressures } from '../node/node-conditions.ts'
import type { FailWords } from '../pod-worker/worker-phase.ts'
import { rejection } from './can-admit.ts'
import { type HostFeatures, hostHasAppArmor, refusedByHost } from './host-features.ts'
import { preempted } from './preemption.ts'
import { refusedUnderPressure } from './pressed-node.ts'

const PREEMPTED: FailWords = {
  reason: 'Preempting',
  message: 'Preempted in order to admit critical pod',
  disruption: 'Pod was preempted by Kubelet to accommodate a critical pod.',
}

export interface PodAdmissionParts {
  /** Patterns of kernel settings that the configuration allows. */
  allowedUnsafeSysctls: readonly string[]
  node: () => Node | undefined
  /** What presses on the node now. */
  pressures: () => NodePressures
  /** Reads the node anew. */
  refreshNode: () => Promise<void>
  /** Pods that take something of the node, but this one. */
  othersThan: (uid: string) => readonly Pod[]
  /** Resolves when nothing of the pod runs any more. */
  end: (pod: Pod, words: FailWords) => Promise<void>
}

export class PodAdmission {
  readonly #parts: PodAdmissionParts

  constructor(parts: PodAdmissionParts) {
    this.#parts = parts
  }

  /** Undefined: it is taken, as far as is known now. */
  judge(pod: Pod): FailWords | undefined {
    const node = this.#parts.node()
    if (!node) return undefined
    const others = this.#parts.othersThan(pod.metadata.uid)
    return (
      refusedUnderPressure(pod, this.#parts.pressures()) ??
      refusedByHost(pod, this.#hostFeatures()) ??
      rejection(pod, node, others)
    )
  }

  /**
   * The scheduler may know of labels or resources that were given to the node a moment ago (upstream: generalFilter).
   * Resolves when the pod may be judged again, for good.
   */
  async prepareSecondLook(pod: Pod): Promise<void> {
    await this.#parts.refreshNode()
    const node = this.#parts.node()
    // Only what is short can be freed.
    if (!node || !this.judge(pod)?.reason.startsWith('OutOf')) return
    const victims = preempted(pod, node, this.#parts.othersThan(pod.metadata.uid)) ?? []
    await Promise.all(victims.map(victim => this.#parts.end(victim, PREEMPTED)))
  }

  #hostFeatures(): HostFeatures {
    return { unsafeSysctls: this.#parts.allowedUnsafeSysctls, hasAppArmor: hostHasAppArmor() }
  }
}
