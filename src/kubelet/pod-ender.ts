// Ends pods for the node's sake: to make room for a critical one, or because the node runs short of something.
import type { Pod } from '../api/types/core-v1.ts'
import type { Eviction } from './eviction/judge.ts'
import { PodEvents, type Recorder } from './pod-events.ts'
import { referenceTo } from './pod-name.ts'
import type { FailWords } from './pod-worker/worker-phase.ts'
import type { PodWorkers } from './pod-workers.ts'

const EVICTED = 'Evicted'

export class PodEnder {
  readonly #workers: PodWorkers
  readonly #recorder: Recorder
  readonly #events: PodEvents

  constructor(workers: PodWorkers, recorder: Recorder) {
    this.#workers = workers
    this.#recorder = recorder
    this.#events = new PodEvents(recorder)
  }

  /** Within the pod's own grace. Resolves when nothing of it runs any more. */
  async end(pod: Pod, words: FailWords, signal: AbortSignal): Promise<void> {
    this.#events.tell(pod, 'Warning', words.reason, words.message)
    const graceSeconds = pod.spec.terminationGracePeriodSeconds ?? 30
    await this.#workers.get(pod.metadata.uid)?.evict(words, graceSeconds, signal)
  }

  /** Resolves when the pod's volumes are gone too. */
  async evict(
    { pod, message, annotations, graceSeconds, disruption }: Eviction,
    signal: AbortSignal,
  ): Promise<void> {
    this.#recorder.event(referenceTo(pod), 'Warning', EVICTED, message, annotations)
    const worker = this.#workers.get(pod.metadata.uid)
    const words = { reason: EVICTED, message, ...(disruption && { disruption }) }
    await worker?.evict(words, graceSeconds, signal)
    await worker?.cleared(signal)
  }
}
