// Pods that were promised a node where others are being evicted for them: nobody of lower priority may take that room.
// Upstream: pkg/scheduler/backend/queue/nominator.go.
import { priorityOf } from '../../api/pod/priority.ts'
import type { Pod } from '../../api/types/core-v1.ts'

export class NominatedPods {
  readonly #byNode = new Map<string, Map<string, Pod>>()
  readonly #nodeOf = new Map<string, string>()

  /** A promise to another node replaces the one before. */
  set(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata
    if (this.#nodeOf.get(uid) !== nodeName) this.remove(uid)
    this.#nodeOf.set(uid, nodeName)
    const there = this.#byNode.get(nodeName) ?? new Map<string, Pod>()
    this.#byNode.set(nodeName, there.set(uid, pod))
  }

  remove(uid: string): void {
    const nodeName = this.#nodeOf.get(uid)
    if (nodeName === undefined) return
    this.#nodeOf.delete(uid)
    const there = this.#byNode.get(nodeName)
    there?.delete(uid)
    if (there?.size === 0) this.#byNode.delete(nodeName)
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid)
  }

  on(nodeName: string): readonly Pod[] {
    return [...(this.#byNode.get(nodeName)?.values() ?? [])]
  }

  /** Others on the node that are at least as important as the Pod: they count as if they were there already. */
  before(pod: Pod, nodeName: string): readonly Pod[] {
    const there = this.#byNode.get(nodeName)
    if (!there) return NONE
    return [...there.values()].filter(
      other => other.metadata.uid !== pod.metadata.uid && priorityOf(other) >= priorityOf(pod),
    )
  }
}

const NONE: readonly Pod[] = []
