// The node goes down: its pods end in their ways, within a time. With a shutdownGracePeriod in the KubeletConfiguration
// they end for good, as upstream's graceful node shutdown has it (pkg/kubelet/nodeshutdown); without one they are only
// stopped, and run again when the node comes up.
import type { Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { ShutdownGrace } from '../configuration/settings.ts'
import { nodeReference } from '../node/node-events.ts'
import type { Recorder } from '../pod-events.ts'
import { MINIMUM_STOP_SECONDS } from '../pod-worker/decide-stopping.ts'
import type { FailWords } from '../pod-worker/worker-phase.ts'
import { type ShutdownGroup, shutdownGroup, shutdownPlan } from './shutdown-plan.ts'

/** Shown as the reason why the node is not ready. */
export const SHUTTING_DOWN = 'node is shutting down'

export const REJECTED: FailWords = {
  reason: 'NodeShutdown',
  message: 'Pod was rejected: Pod was rejected as the node is shutting down.',
}

const TERMINATED: FailWords = {
  reason: 'Terminated',
  message: 'Pod was terminated in response to imminent node shutdown.',
  disruption: true,
}

/** What a pod's worker does for it. */
export interface Stoppable {
  readonly pod: Pod
  evict(words: FailWords, graceSeconds: number, signal: AbortSignal): Promise<void>
  suspend(graceSeconds: number, signal: AbortSignal): Promise<void>
}

export interface NodeShutdownParts {
  /** Of the KubeletConfiguration; undefined: pods run again after the shutdown. */
  configured: ShutdownGrace | undefined
  nodeName: string
  recorder: Recorder
  /** Pods that have not ended. */
  workers: () => readonly Stoppable[]
  /** Writes the node's status. */
  reportNode: () => void
  clock: Clock
}

export class NodeShutdown {
  readonly #parts: NodeShutdownParts
  #began: 'not' | 'stopping' | 'ending' = 'not'

  constructor(parts: NodeShutdownParts) {
    this.#parts = parts
  }

  /** What becomes of a pod that is new to the node: it is taken, kept for later, or refused. */
  get newcomers(): 'taken' | 'kept' | 'refused' {
    return ({ not: 'taken', stopping: 'kept', ending: 'refused' } as const)[this.#began]
  }

  /** Why the node is not ready; '' when this is no reason. */
  get problem(): string {
    return this.#began === 'ending' ? SHUTTING_DOWN : ''
  }

  /** Resolves when no pod runs, when the time is over, or when the signal aborts. 0: nothing is waited for. */
  async run(graceMs: number, signal: AbortSignal): Promise<void> {
    const { configured } = this.#parts
    if (configured) await this.#end(shorter(configured, graceMs), signal)
    else await this.#stop(graceMs, signal)
  }

  async #stop(graceMs: number, signal: AbortSignal): Promise<void> {
    this.#began = 'stopping'
    // Without a time of their own, critical pods stop with the others.
    const pods = this.#parts.workers().map(({ pod }) => pod)
    const all = shutdownGroup(pods, graceMs)
    await this.#each(all, (worker, seconds, within) => worker.suspend(seconds, within), signal)
  }

  async #end(grace: ShutdownGrace, signal: AbortSignal): Promise<void> {
    const { recorder, nodeName, workers, reportNode } = this.#parts
    this.#began = 'ending'
    recorder.event(nodeReference(nodeName), 'Normal', 'Shutdown', 'Shutdown manager detected shutdown event')
    reportNode()
    const plan = shutdownPlan(
      workers().map(({ pod }) => pod),
      grace,
    )
    for (const group of plan) {
      await this.#each(group, (worker, seconds, within) => worker.evict(TERMINATED, seconds, within), signal)
    }
  }

  async #each(
    { pods, withinMs }: ShutdownGroup,
    stop: (worker: Stoppable, graceSeconds: number, within: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, workers } = this.#parts
    const over = new AbortController()
    const within = AbortSignal.any([signal, over.signal])
    const all = workers()
    const stopped = Promise.all(
      pods.map(({ pod, graceSeconds }) => {
        const worker = all.find(one => one.pod.metadata.uid === pod.metadata.uid)
        return worker && stop(worker, graceSeconds, within)
      }),
    )
    // What does not heed its signal is killed when the grace is over, and that takes a moment too.
    const timeUp = clock.sleep(withinMs + MINIMUM_STOP_SECONDS * 1000, within).catch(() => {})
    await Promise.race([stopped, timeUp])
    over.abort()
  }
}

function shorter({ allMs, criticalMs }: ShutdownGrace, graceMs: number): ShutdownGrace {
  return { allMs: Math.min(allMs, graceMs), criticalMs: Math.min(criticalMs, graceMs) }
}
