// What becomes of pods as the informer shows them: judged, given a worker, updated, taken away.
// Upstream: HandlePodAdditions, HandlePodUpdates and HandlePodRemoves of the kubelet.
import type { Pod } from '../api/types/core-v1.ts'
import type { Lister } from '../client/lister.ts'
import type { PodAdmission } from './admission/pod-admission.ts'
import type { WorkerParts } from './pod-worker/worker-parts.ts'
import type { PodWorkers } from './pod-workers.ts'
import type { Resizes } from './resize/resizes.ts'
import { type NodeShutdown, REJECTED } from './shutdown/node-shutdown.ts'
import { isMirror } from './static-pods/static-pod.ts'
import type { StaticPods } from './static-pods/static-pods.ts'
import { isTerminal } from './status/compute-status.ts'

/** What runs when its pod is gone from the API was deleted by force: that leaves a small grace only. */
const FORCED_GRACE_SECONDS = 1

export interface PodIntakeParts {
  workers: PodWorkers
  workerParts: WorkerParts
  static: StaticPods
  shutdown: NodeShutdown
  admission: PodAdmission
  resizes: Resizes
  /** Pods of the node, as the API has them. */
  lister: Lister<Pod>
  /** Whether the node is registered: before that no pod can be judged. */
  hasNode(): boolean
  /** Aborts when the kubelet ends. */
  signal: AbortSignal
}

export class PodIntake {
  readonly #parts: PodIntakeParts

  constructor(parts: PodIntakeParts) {
    this.#parts = parts
  }

  /** The API has a pod for this node: it gets a worker, which turns it away when the node cannot have it. */
  seen(pod: Pod): void {
    this.#take(pod, false)
  }

  #take(pod: Pod, isSecondLook: boolean): void {
    const { workers, workerParts, shutdown, admission, resizes, signal } = this.#parts
    const { uid } = pod.metadata
    if (isMirror(pod)) {
      this.#parts.static.mirrorSeen(pod)
      return
    }
    const { newcomers } = shutdown
    if (workers.get(uid) || newcomers === 'kept') return
    const isNew = this.#parts.hasNode() && !hasStarted(pod)
    const words = isNew ? (newcomers === 'refused' ? REJECTED : admission.judge(pod)) : undefined
    if (words && words !== REJECTED && !isSecondLook) {
      void this.#lookAgain(pod)
      return
    }
    const worker = workers.start(resizes.seen(pod), workerParts, signal)
    void workers.over(uid).then(() => resizes.forget(uid))
    if (!words) return
    const { reason, message } = words
    workerParts.events.tell(pod, 'Warning', reason, message.replace('Pod was rejected: ', ''))
    worker.reject(words)
  }

  async #lookAgain(seen: Pod): Promise<void> {
    const { admission, lister, signal } = this.#parts
    const { name, namespace, uid } = seen.metadata
    await admission.prepareSecondLook(seen)
    const pod = lister.find(name, namespace)
    if (pod?.metadata.uid === uid && !signal.aborted) this.#take(pod, true)
  }

  /** Its worker gets to know the pod's new version; one of another uid is another pod. */
  updated(old: Pod, pod: Pod): void {
    if (old.metadata.uid !== pod.metadata.uid) {
      this.gone(old)
      this.seen(pod)
      return
    }
    if (isMirror(pod)) {
      this.#parts.static.mirrorSeen(pod)
      return
    }
    this.#parts.workerParts.statuses.observe(pod)
    this.#parts.workers.get(pod.metadata.uid)?.update(this.#parts.resizes.updated(pod))
  }

  /** The API has it no more. */
  gone(pod: Pod): void {
    if (isMirror(pod)) this.#parts.static.mirrorGone(pod)
    else this.#parts.workers.get(pod.metadata.uid)?.remove(FORCED_GRACE_SECONDS)
  }
}

/** A pod that has started here before is not judged again. */
const hasStarted = ({ status, metadata }: Pod): boolean =>
  !!status.startTime || isTerminal(status.phase) || !!metadata.deletionTimestamp
