// One pod's worker: observe, decide, perform, wait. It alone acts on its pod's sandboxes, containers and files.
// What it knows is in pod-state.ts, what it does while the pod is to run in running-pod.ts.
import type { Pod, PodStatus } from '../../api/types/core-v1.ts'
import { runtimeErrorText } from '../runtime-view/runtime-error-text.ts'
import { finalStatus } from '../status/final-status.ts'
import { Alarm } from './alarm.ts'
import { decideStopping, gracePeriodOf, regranted } from './decide-stopping.ts'
import type { ObservedContainer } from './observed-pod.ts'
import { finishPod } from './pod-finisher.ts'
import { PodState } from './pod-state.ts'
import { performStopping } from './pod-stopper.ts'
import { removeContainer } from './record-remover.ts'
import { RunningPod } from './running-pod.ts'
import { stopSandboxes } from './sandbox-keeper.ts'
import type { WorkerParts } from './worker-parts.ts'
import type { FailWords, Stopped, WorkerPhase } from './worker-phase.ts'

const RETRY_MS = 1_000
const RETRY_MAX_MS = 10_000

type StoppingPhase = WorkerPhase & { phase: 'stopping' }

export class PodWorker {
  readonly #parts: WorkerParts
  readonly #alarm: Alarm
  readonly #state: PodState
  readonly #running: RunningPod
  #phase: WorkerPhase = { phase: 'running' }
  #isRejected = false
  #stepFailures = 0
  #isCleared = false
  /** Of an eviction, of a deletion by force, or of the node's shutdown. */
  #graceOverride: number | undefined
  /** When somebody first asked for the pod's end. */
  #askedAt: number | undefined
  /** Ends what a step is doing when the pod must stop. */
  #step = new AbortController()

  constructor(pod: Pod, parts: WorkerParts) {
    this.#parts = parts
    this.#alarm = new Alarm(parts.clock)
    this.#state = new PodState(pod, parts)
    this.#running = new RunningPod(this.#state, this.#alarm)
  }

  get pod(): Pod {
    return this.#state.pod
  }

  /** It was turned away: it has never had anything of the node. */
  get isRejected(): boolean {
    return this.#isRejected
  }

  get phase(): WorkerPhase['phase'] {
    return this.#phase.phase
  }

  /** The status told last. */
  currentStatus(): PodStatus {
    return this.#state.previous()
  }

  runningContainers(): readonly ObservedContainer[] {
    return this.#state.observed.containers.filter(({ state }) => state === 'running')
  }

  /** Resolves when the container does not run any more, or the signal aborts. */
  async containerEnded(id: string, signal: AbortSignal): Promise<void> {
    const runs = () => this.runningContainers().some(one => one.id === id)
    await this.#state.onlookers.until(() => !runs() || this.#isGone, signal)
  }

  /** Of a pod that is over, the containers and what they wrote, so that their disk is free again. */
  async removeDead(): Promise<void> {
    if (this.#phase.phase !== 'over') return
    const { pod, observed } = this.#state
    for (const { id, state } of observed.containers) {
      if (state === 'exited') await removeContainer(id, true, pod, observed, this.#parts)
    }
  }

  // What others tell it

  /** Look again, now. */
  wake(): void {
    this.#alarm.ring()
  }

  /** A probe's verdict shows at once, even while a step (a pull, a hook) is under way. */
  probesChanged(): void {
    const begun = this.#state.observed.containers.length > 0 && !this.#state.removed
    if (begun && this.#phase.phase === 'running') this.#state.publishUndecided()
    this.wake()
  }

  /** The pod as the API has it now. */
  update(pod: Pod): void {
    if (pod.metadata.generation !== this.pod.metadata.generation) this.#state.starts.letTryAgain()
    this.#state.pod = pod
    if (pod.metadata.deletionTimestamp) this.#endAsked()
    this.wake()
  }

  /**
   * The pod is gone from where it came from: whatever still runs is stopped, with this grace at most, and nothing of it
   * is kept.
   */
  remove(graceSeconds?: number): void {
    this.#state.removed = true
    if (graceSeconds !== undefined) this.#graceOverride = graceSeconds
    this.#parts.statuses.forget(this.#state.uid)
    this.#endAsked()
    this.wake()
  }

  /** The node does not take the pod: it fails with these words without having started anything. */
  reject(words: FailWords): void {
    this.#isRejected = true
    this.#beginStopping('over', words)
    this.wake()
  }

  /**
   * Ends the pod for the node's sake, with this grace at most. Resolves when nothing of it runs any more, or the
   * signal aborts. Does nothing to a pod that is being stopped already.
   */
  async evict(words: FailWords, graceSeconds: number, signal: AbortSignal): Promise<void> {
    if (this.#phase.phase === 'running') {
      this.#graceOverride = graceSeconds
      this.#endAsked()
      this.#beginStopping('over', words)
      this.wake()
    }
    await this.#stopped(signal)
  }

  /** Resolves when the pod is over and its volumes are gone, or the signal aborts. */
  cleared(signal: AbortSignal): Promise<void> {
    return this.#state.onlookers.until(() => this.#isCleared || this.#isGone, signal)
  }

  /**
   * The node goes down: what runs is stopped, with this grace at most, and the pod's next worker, after the node has
   * come up again, starts it anew if its policy says so. Resolves when nothing runs, or the signal aborts.
   */
  async suspend(graceSeconds: number, signal: AbortSignal): Promise<void> {
    this.#graceOverride = graceSeconds
    this.#endAsked()
    if (this.#phase.phase === 'running') {
      this.#beginStopping('suspended')
    } else if (this.#phase.phase === 'stopping' && this.#phase.after === 'running') {
      this.#phase.after = 'suspended'
    }
    this.wake()
    await this.#stopped(signal)
  }

  #stopped(signal: AbortSignal): Promise<void> {
    return this.#state.onlookers.until(() => this.#phase.phase === 'over' || this.#isGone, signal)
  }

  /** What a step of the running pod is doing is void. */
  #endAsked(): void {
    this.#askedAt ??= this.#parts.clock.now()
    if (this.#phase.phase === 'running') this.#step.abort()
  }

  // Its loop

  /** Ends when nothing is left of the pod, or when the signal aborts (containers then keep running). */
  async run(signal: AbortSignal): Promise<void> {
    while (!this.#isGone && !signal.aborted) {
      this.#alarm.reset()
      this.#step = new AbortController()
      const stepSignal = AbortSignal.any([signal, this.#step.signal])
      try {
        await this.#takeStep(stepSignal, signal)
        this.#stepFailures = 0
      } catch (error) {
        if (signal.aborted) return
        if (!this.#step.signal.aborted) this.#stepFailed(error)
      }
      if (!this.#isGone) await this.#alarm.wait(signal)
    }
  }

  /** Nothing more happens here. */
  get #isGone(): boolean {
    return this.#phase.phase === 'gone' || this.#phase.phase === 'suspended'
  }

  #stepFailed(error: unknown): void {
    const { log, clock } = this.#parts
    log.warn({ error, pod: this.pod.metadata.name }, 'a pod could not be synchronised; trying again')
    this.#alarm.ringAt(clock.now() + Math.min(RETRY_MS * 2 ** this.#stepFailures++, RETRY_MAX_MS))
  }

  async #takeStep(signal: AbortSignal, lifetime: AbortSignal): Promise<void> {
    await this.#state.observe().catch(error => {
      const text = `error determining status: ${runtimeErrorText(error)}`
      if (!lifetime.aborted) this.#parts.events.tell(this.pod, 'Warning', 'FailedSync', text)
      throw error
    })
    if (this.#phase.phase === 'running' && this.#mustGo) this.#beginStopping('over')
    switch (this.#phase.phase) {
      case 'running':
        return this.#run(signal)
      case 'stopping':
        return this.#stop(lifetime)
      case 'over':
        return this.#finish()
      case 'suspended':
      case 'gone':
    }
  }

  get #mustGo(): boolean {
    return this.#state.removed || this.pod.metadata.deletionTimestamp !== undefined
  }

  async #run(signal: AbortSignal): Promise<void> {
    const outcome = await this.#running.takeStep(signal)
    // Meanwhile somebody else may have begun to stop the pod.
    if (outcome.next === 'running' || this.#phase.phase !== 'running') return
    if (outcome.next === 'restart') this.#beginStopping('running')
    else this.#beginStopping('over', outcome.failWith)
    this.#alarm.ring()
  }

  // Stopping

  #beginStopping(after: Stopped, failWith?: FailWords): void {
    const gracePeriodSeconds = gracePeriodOf(this.pod, this.#grace())
    const stopping = { startedAt: this.#parts.clock.now(), gracePeriodSeconds, containers: {} }
    this.#phase = { phase: 'stopping', stopping, after, ...(failWith && { failWith }) }
    if (after !== 'running') this.#parts.probes.stopping(this.#state.uid)
  }

  #grace() {
    const { deletionGracePeriodSeconds } = this.pod.metadata
    return {
      ...(deletionGracePeriodSeconds !== undefined && { deletion: deletionGracePeriodSeconds }),
      ...(this.#graceOverride !== undefined && { override: this.#graceOverride }),
    }
  }

  async #stop(signal: AbortSignal): Promise<void> {
    const phase = this.#phase as StoppingPhase
    if (phase.after !== 'over' && this.#mustGo) phase.after = 'over'
    phase.stopping = regranted(phase.stopping, gracePeriodOf(this.pod, this.#grace()), this.#askedAt)
    if (phase.after === 'over') this.#state.publishUndecided(phase.failWith)
    const { pod, observed, podIPs } = this.#state
    const target = {
      pod,
      observed,
      podIP: podIPs[0],
      get: () => phase.stopping,
      set: (stopping: typeof phase.stopping) => {
        phase.stopping = stopping
      },
      wake: () => this.wake(),
      signal,
    }
    for (const action of decideStopping(pod, observed, phase.stopping, this.#parts.clock.now())) {
      if (action.do === 'stopSandboxes') return this.#stopSandboxes(phase)
      if (action.do === 'checkAgain') this.#alarm.ringAt(action.at)
      else performStopping(action, target, this.#parts)
      if (action.do === 'announce') this.#alarm.ring()
    }
  }

  async #stopSandboxes(phase: StoppingPhase): Promise<void> {
    const state = this.#state
    await this.#parts.prepared.discard(state.uid)
    if ((await stopSandboxes(state.observed, this.#parts)) > 0) await state.observe()
    if (phase.after === 'over') await this.#parts.plugins.release(this.pod)
    this.#alarm.ring()
    if (phase.after === 'suspended') {
      // How its containers ended is all that is told: whether the pod is over is for its next worker to say.
      state.publishUndecided()
      await this.#parts.statuses.settled(state.uid)
    }
    if (phase.after === 'over') state.publish(finalStatus(this.pod, state.status(true, phase.failWith)))
    this.#phase = { phase: phase.after }
    state.onlookers.looked()
  }

  // Over

  async #finish(): Promise<void> {
    const state = this.#state
    state.starts.clear()
    const nothingLeft = await finishPod(this.pod, state.observed, () => state.removed, this.#parts)
    if (nothingLeft) this.#phase = { phase: 'gone' }
    this.#isCleared = true
    state.onlookers.looked()
  }
}
