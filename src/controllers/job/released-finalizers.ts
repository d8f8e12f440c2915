// Pods whose finalizers are gone though the informer does not show it yet: they must not be counted twice.
// Upstream: tracking_utils.go uidTrackingExpectations.
import type { Pod } from '../../api/types/core-v1.ts'
import { isTracked, TRACKING_FINALIZER } from './job-facts.ts'

export class ReleasedFinalizers {
  /** By the Job's key. */
  readonly #uids = new Map<string, Set<string>>()

  expect(job: string, uids: Iterable<string>): void {
    const known = this.#uids.get(job) ?? new Set()
    for (const uid of uids) known.add(uid)
    this.#uids.set(job, known)
  }

  /** Seen, or failed. */
  settle(job: string, uid: string): void {
    const known = this.#uids.get(job)
    known?.delete(uid)
    if (known?.size === 0) this.#uids.delete(job)
  }

  forget(job: string): void {
    this.#uids.delete(job)
  }

  /** The Pods as they are, not as the informer shows them. */
  apply(job: string, pods: readonly Pod[]): Pod[] {
    const known = this.#uids.get(job)
    if (!known) return [...pods]
    return pods.map(pod => (known.has(pod.metadata.uid) && isTracked(pod) ? untracked(pod) : pod))
  }
}

function untracked(pod: Pod): Pod {
  const finalizers = pod.metadata.finalizers?.filter(one => one !== TRACKING_FINALIZER) ?? []
  return { ...pod, metadata: { ...pod.metadata, finalizers } }
}
