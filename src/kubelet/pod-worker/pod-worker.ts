// One pod's worker: observe, decide, perform, wait. It alone acts on its pod's sandboxes, containers and files.
import type { Container, Pod, PodStatus } from '../../api/types/core-v1.ts'
import { findContainer } from '../pod-name.ts'
import { performResize } from '../resize/perform-resize.ts'
import { isResized } from '../resize/resize-actions.ts'
import { computeStatus, isTerminal } from '../status/compute-status.ts'
import { finalStatus, withheldPhase } from '../status/final-status.ts'
import type { Action } from './actions.ts'
import { Alarm } from './alarm.ts'
import { killContainer } from './container-killer.ts'
import { startContainer } from './container-starter.ts'
import { decide } from './decide.ts'
import { decideStopping, gracePeriodOf } from './decide-stopping.ts'
import { nothingObserved, type ObservedContainer, type ObservedPod } from './observed-pod.ts'
import { Onlookers } from './onlookers.ts'
import { finishPod } from './pod-finisher.ts'
import { performStopping } from './pod-stopper.ts'
import { removeContainer, removeSandbox } from './record-remover.ts'
import { configOf, createSandbox, stopSandboxes } from './sandbox-keeper.ts'
import { StartRecords } from './start-records.ts'
import type { WorkerParts } from './worker-parts.ts'
import type { FailWords, Stopped, WorkerPhase } from './worker-phase.ts'

const RETRY_MS = 1_000
const RETRY_MAX_MS = 10_000

const DEADLINE: FailWords = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
}

export class PodWorker {
  readonly #parts: WorkerParts
  readonly #alarm: Alarm
  #pod: Pod
  #phase: WorkerPhase = { phase: 'running' }
  /** The API no longer has the pod: nothing is written about it any more. */
  #removed = false
  #observed: ObservedPod = nothingObserved
  readonly #starts = new StartRecords()
  readonly #onlookers = new Onlookers()
  #restartingAll: boolean
  #sandboxFailures = 0
  #stepFailures = 0
  /** Of an eviction, or of the node's shutdown. */
  #graceOverride: number | undefined
  /** Ends what a step is doing when the pod must stop. */
  #step = new AbortController()

  constructor(pod: Pod, parts: WorkerParts) {
    this.#pod = pod
    this.#parts = parts
    this.#alarm = new Alarm(parts.clock)
    this.#restartingAll = !!pod.status?.conditions?.some(
      ({ type, status }) => type === 'AllContainersRestarting' && status === 'True',
    )
  }

  get pod(): Pod {
    return this.#pod
  }

  /** The status told last. */
  currentStatus(): PodStatus {
    return this.#previous()
  }

  /** Resolves when the container does not run any more, or the signal aborts. */
  async containerEnded(id: string, signal: AbortSignal): Promise<void> {
    const runs = () => this.#observed.containers.some(one => one.id === id && one.state === 'running')
    await this.#onlookers.until(() => !runs() || this.#isGone, signal)
  }

  runningContainers(): readonly ObservedContainer[] {
    return this.#observed.containers.filter(({ state }) => state === 'running')
  }

  /** Of a pod that is over, the containers and what they wrote, so that their disk is free again. */
  async removeDead(): Promise<void> {
    if (this.#phase.phase !== 'over') return
    const { containers } = this.#observed
    for (const { id, state } of containers) {
      if (state === 'exited') await removeContainer(id, true, this.#pod, this.#observed, this.#parts)
    }
  }

  get phase(): WorkerPhase['phase'] {
    return this.#phase.phase
  }

  /** Look again, now. */
  wake(): void {
    this.#alarm.ring()
  }

  /** A probe's verdict shows at once, even while a step (a pull, a hook) is under way. */
  probesChanged(): void {
    const begun = this.#observed.containers.length > 0 && !this.#removed
    if (begun && this.#phase.phase === 'running') {
      this.#publish(withheldPhase(this.#status(false), this.#previous()))
    }
    this.wake()
  }

  /** The pod as the API has it now. */
  update(pod: Pod): void {
    if (pod.metadata.generation !== this.#pod.metadata.generation) this.#starts.letTryAgain()
    this.#pod = pod
    if (pod.metadata.deletionTimestamp && this.#phase.phase === 'running') this.#step.abort()
    this.wake()
  }

  /**
   * The pod is gone from where it came from: whatever still runs is stopped, with this grace at most, and nothing of it
   * is kept.
   */
  remove(graceSeconds?: number): void {
    this.#removed = true
    if (graceSeconds !== undefined) this.#graceOverride = graceSeconds
    this.#parts.statuses.forget(this.#pod.metadata.uid)
    if (this.#phase.phase === 'running') this.#step.abort()
    this.wake()
  }

  /** The node does not take the pod: it fails with these words without having started anything. */
  reject(words: FailWords): void {
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
      this.#step.abort()
      this.#beginStopping('over', words)
      this.wake()
    }
    await this.#onlookers.until(() => this.#phase.phase === 'over' || this.#isGone, signal)
  }

  /**
   * The node goes down: what runs is stopped, with this grace at most, and the pod's next worker, after the node has
   * come up again, starts it anew if its policy says so. Resolves when nothing runs, or the signal aborts.
   */
  async suspend(graceSeconds: number, signal: AbortSignal): Promise<void> {
    this.#graceOverride = graceSeconds
    if (this.#phase.phase === 'running') {
      this.#step.abort()
      this.#beginStopping('suspended')
    } else if (this.#phase.phase === 'stopping' && this.#phase.after === 'running') {
      this.#phase.after = 'suspended'
    }
    this.wake()
    await this.#onlookers.until(() => this.#phase.phase === 'over' || this.#isGone, signal)
  }

  /** Nothing more happens here. */
  get #isGone(): boolean {
    return this.#phase.phase === 'gone' || this.#phase.phase === 'suspended'
  }

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

  #stepFailed(error: unknown): void {
    const { log, clock } = this.#parts
    log.warn({ error, pod: this.#pod.metadata.name }, 'a pod could not be synchronised; trying again')
    this.#alarm.ringAt(clock.now() + Math.min(RETRY_MS * 2 ** this.#stepFailures++, RETRY_MAX_MS))
  }

  async #takeStep(signal: AbortSignal, lifetime: AbortSignal): Promise<void> {
    await this.#observe()
    if (this.#phase.phase === 'running' && (this.#removed || this.#pod.metadata.deletionTimestamp)) {
      this.#beginStopping('over')
    }
    switch (this.#phase.phase) {
      case 'running':
        return this.#sync(signal)
      case 'stopping':
        return this.#stop(lifetime)
      case 'over':
        return this.#finish()
      case 'suspended':
      case 'gone':
    }
  }

  async #observe(): Promise<void> {
    const { uid } = this.#pod.metadata
    const { sandboxes, containers } = await this.#parts.view.observe(uid)
    this.#observed = { ...this.#ownState(), sandboxes, containers }
    this.#onlookers.looked()
    if (!this.#removed) this.#parts.probes.observe(this.#pod, this.#observed)
  }

  #ownState(): Pick<ObservedPod, 'probes' | 'backOffs' | 'startFailures' | 'restartingAll'> {
    return {
      probes: this.#parts.probes.results(this.#pod.metadata.uid),
      backOffs: this.#starts.backOffs,
      startFailures: this.#starts.failures,
      restartingAll: this.#restartingAll,
    }
  }

  // Running

  async #sync(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    this.#settleResize()
    const status = this.#status(false)
    const deadline = this.#deadline(status)
    if (deadline !== undefined && deadline <= clock.now()) {
      this.#parts.events.tell(this.#pod, 'Normal', DEADLINE.reason, DEADLINE.message)
      return this.#end(DEADLINE)
    }
    if (isTerminal(status.phase)) {
      this.#publish(withheldPhase(status, this.#previous()))
      return this.#end()
    }
    this.#publish(status)
    if (deadline !== undefined) this.#alarm.ringAt(deadline)
    const volumes = await this.#parts.volumes.setUp(this.#pod, status.podIPs?.map(({ ip }) => ip) ?? [])
    const again = this.#parts.volumes.nextAt(this.#pod.metadata.uid)
    if (again !== undefined) this.#alarm.ringAt(again)
    if (volumes.state === 'waiting') return
    signal.throwIfAborted()
    const observed = { ...this.#observed, ...this.#ownState() }
    for (const action of decide(this.#pod, observed, clock.now())) {
      if ((await this.#perform(action, signal)) === 'stop') return
    }
  }

  /** A resize is over when every container has its share; the pod's own cgroup follows at the latest now. */
  #settleResize(): void {
    const { resizes, cgroups } = this.#parts
    const { uid } = this.#pod.metadata
    if (!resizes.state(uid).inProgress || !isResized(this.#pod, this.#observed)) return
    cgroups.ensure(this.#pod)
    resizes.completed(uid)
  }

  async #resize({ updates }: Action & { do: 'resize' }, signal: AbortSignal): Promise<void> {
    const { resizes, view, clock } = this.#parts
    const { uid } = this.#pod.metadata
    const problem = await performResize(this.#pod, updates, this.#parts, signal)
    for (const { id } of updates) view.changed(id, uid)
    if (problem === undefined) return this.#alarm.ring()
    resizes.failed(uid, problem)
    this.#publish(this.#status(false))
    this.#alarm.ringAt(clock.now() + RETRY_MAX_MS)
  }

  #end(failWith?: FailWords): void {
    this.#beginStopping('over', failWith)
    this.#alarm.ring()
  }

  /** startTime plus activeDeadlineSeconds: init containers count too. */
  #deadline({ startTime }: PodStatus): number | undefined {
    const seconds = this.#pod.spec.activeDeadlineSeconds
    return seconds === undefined || !startTime ? undefined : Date.parse(startTime) + seconds * 1000
  }

  /** Answers whether the rest of this step's actions is void. */
  async #perform(action: Action, signal: AbortSignal): Promise<'go on' | 'stop'> {
    switch (action.do) {
      case 'killPod':
        this.#beginStopping('running')
        this.#alarm.ring()
        return 'stop'
      case 'createSandbox':
        return this.#createSandbox(action, signal)
      case 'startContainer':
        return this.#startContainer(action, signal)
      case 'killContainer':
        await killContainer(action, this.#pod, this.#podIPs()[0], this.#parts, signal)
        this.#alarm.ring()
        return 'go on'
      case 'removeContainer':
        await removeContainer(action.id, !action.keepLogs, this.#pod, this.#observed, this.#parts)
        this.#alarm.ring()
        return 'go on'
      case 'removeSandbox':
        await removeSandbox(action.id, this.#parts)
        return 'go on'
      case 'resize':
        await this.#resize(action, signal)
        return 'go on'
      case 'holdBack':
        this.#holdBack(action)
        return 'go on'
      case 'beginRestartAll':
      case 'endRestartAll':
        this.#restartingAll = action.do === 'beginRestartAll'
        this.#alarm.ring()
        if (this.#restartingAll) this.#publish(this.#status(false))
        return 'go on'
      case 'checkAgain':
        this.#alarm.ringAt(action.at)
        return 'go on'
    }
  }

  async #createSandbox({ attempt, replaces }: Action & { do: 'createSandbox' }, signal: AbortSignal) {
    const made = await createSandbox(this.#pod, attempt, replaces !== undefined, this.#parts, signal)
    if (!made) {
      const delay = Math.min(RETRY_MS * 2 ** this.#sandboxFailures++, RETRY_MAX_MS)
      this.#alarm.ringAt(this.#parts.clock.now() + delay)
      return 'stop' as const
    }
    this.#sandboxFailures = 0
    await this.#observe()
    // The pod's address shows before images are pulled.
    this.#publish(this.#status(false))
    this.#alarm.ring()
    return 'go on' as const
  }

  async #startContainer({ name, kind }: Action & { do: 'startContainer' }, signal: AbortSignal) {
    const { clock, backOffLimits } = this.#parts
    const pod = this.#pod
    const container = findContainer(pod, name)!
    const sandbox = this.#observed.sandboxes[0]
    if (!sandbox?.ready) return 'stop' as const
    const dead = this.#observed.containers.find(one => one.name === name && one.state === 'exited')
    if (dead) this.#starts.restarting(pod, container as Container, dead, clock.now(), backOffLimits)
    const failure = await startContainer(
      container,
      {
        pod,
        observed: this.#observed,
        sandboxId: sandbox.id,
        sandboxConfig: configOf(pod, sandbox.attempt, this.#parts),
        podIPs: this.#podIPs(),
        signal,
      },
      this.#parts,
    )
    this.#alarm.ring()
    if (!failure) {
      this.#starts.started(name)
      return 'go on' as const
    }
    this.#starts.failed(name, failure)
    return kind === 'init' ? ('stop' as const) : ('go on' as const)
  }

  #podIPs(): readonly string[] {
    return this.#pod.spec.hostNetwork ? this.#parts.facts.hostIPs : (this.#observed.sandboxes[0]?.ips ?? [])
  }

  #holdBack({ name, message }: Action & { do: 'holdBack' }): void {
    const { events, clock } = this.#parts
    const { isNew, tell } = this.#starts.heldBack(name, message, clock.now())
    if (isNew) this.#alarm.ring()
    if (!tell) return
    const { metadata } = this.#pod
    const text = `Back-off restarting failed container ${name} in pod ${metadata.name}_${metadata.namespace}(${metadata.uid})`
    events.tell(this.#pod, 'Warning', 'BackOff', text, name)
  }

  // Stopping

  #beginStopping(after: Stopped, failWith?: FailWords): void {
    const gracePeriodSeconds = gracePeriodOf(this.#pod, this.#grace())
    const stopping = { startedAt: this.#parts.clock.now(), gracePeriodSeconds, containers: {} }
    this.#phase = { phase: 'stopping', stopping, after, ...(failWith && { failWith }) }
    if (after !== 'running') this.#parts.probes.stopping(this.#pod.metadata.uid)
  }

  #grace() {
    const { deletionGracePeriodSeconds } = this.#pod.metadata
    return {
      ...(deletionGracePeriodSeconds !== undefined && { deletion: deletionGracePeriodSeconds }),
      ...(this.#graceOverride !== undefined && { override: this.#graceOverride }),
    }
  }

  async #stop(signal: AbortSignal): Promise<void> {
    const phase = this.#phase as WorkerPhase & { phase: 'stopping' }
    if (phase.after !== 'over' && (this.#removed || this.#pod.metadata.deletionTimestamp))
      phase.after = 'over'
    // A grace that was shortened since counts from the beginning.
    const gracePeriodSeconds = gracePeriodOf(this.#pod, this.#grace(), phase.stopping.gracePeriodSeconds)
    phase.stopping = { ...phase.stopping, gracePeriodSeconds }
    if (phase.after === 'over')
      this.#publish(withheldPhase(this.#status(false, phase.failWith), this.#previous()))
    const target = {
      pod: this.#pod,
      observed: this.#observed,
      podIP: this.#podIPs()[0],
      get: () => phase.stopping,
      set: (stopping: typeof phase.stopping) => {
        phase.stopping = stopping
      },
      wake: () => this.wake(),
      signal,
    }
    for (const action of decideStopping(this.#pod, this.#observed, phase.stopping, this.#parts.clock.now())) {
      if (action.do === 'stopSandboxes') return this.#stopSandboxes(phase)
      if (action.do === 'checkAgain') this.#alarm.ringAt(action.at)
      else performStopping(action, target, this.#parts)
      if (action.do === 'announce') this.#alarm.ring()
    }
  }

  async #stopSandboxes(phase: WorkerPhase & { phase: 'stopping' }): Promise<void> {
    await this.#parts.prepared.discard(this.#pod.metadata.uid)
    if ((await stopSandboxes(this.#observed, this.#parts)) > 0) await this.#observe()
    this.#alarm.ring()
    if (phase.after === 'suspended') {
      // How its containers ended is all that is told: whether the pod is over is for its next worker to say.
      this.#publish(withheldPhase(this.#status(false), this.#previous()))
      await this.#parts.statuses.settled(this.#pod.metadata.uid)
    }
    if (phase.after !== 'over') {
      this.#phase = { phase: phase.after }
      this.#onlookers.looked()
      return
    }
    this.#publish(finalStatus(this.#pod, this.#status(true, phase.failWith)))
    this.#phase = { phase: 'over' }
    this.#onlookers.looked()
  }

  // Over

  async #finish(): Promise<void> {
    this.#starts.clear()
    const nothingLeft = await finishPod(this.#pod, this.#observed, () => this.#removed, this.#parts)
    if (nothingLeft) this.#phase = { phase: 'gone' }
  }

  // Status

  #previous(): PodStatus {
    return this.#parts.statuses.latest(this.#pod.metadata.uid) ?? this.#pod.status
  }

  #status(terminal: boolean, failWith?: FailWords): PodStatus {
    const { facts, runtimeName, clock } = this.#parts
    const resize = this.#parts.resizes.state(this.#pod.metadata.uid)
    const words = { hostIPs: facts.hostIPs, runtimeName, terminal, resize, ...(failWith && { failWith }) }
    const observed = { ...this.#observed, ...this.#ownState() }
    return computeStatus(this.#pod, observed, this.#previous(), words, clock.now())
  }

  #publish(status: PodStatus): void {
    if (!this.#removed) this.#parts.statuses.set(this.#pod, status)
  }
}
