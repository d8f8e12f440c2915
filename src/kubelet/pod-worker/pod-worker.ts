// One pod's worker: observe, decide, perform, wait. It alone acts on its pod's sandboxes, containers and files.
import { pods } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Container, Pod, PodStatus } from '../../api/types/core-v1.ts'
import { findContainer } from '../pod-name.ts'
import { computeStatus, isTerminal } from '../status/compute-status.ts'
import { finalStatus, withheldPhase } from '../status/final-status.ts'
import type { Action } from './actions.ts'
import { Alarm, aborted } from './alarm.ts'
import { killContainer } from './container-killer.ts'
import { startContainer } from './container-starter.ts'
import { backOffKey, nextBackOff } from './crash-back-off.ts'
import { decide } from './decide.ts'
import { decideStopping, gracePeriodOf } from './decide-stopping.ts'
import {
  type BackOffEntry,
  nothingObserved,
  type ObservedContainer,
  type ObservedPod,
  type StartFailure,
} from './observed-pod.ts'
import { performStopping } from './pod-stopper.ts'
import { removeAllRecords, removeContainer, removeSandbox } from './record-remover.ts'
import { configOf, createSandbox, stopSandboxes } from './sandbox-keeper.ts'
import type { WorkerParts } from './worker-parts.ts'
import type { FailWords, WorkerPhase } from './worker-phase.ts'

const RETRY_MS = 1_000
const RETRY_MAX_MS = 10_000
/** A container that stays held back is told of again after this long. */
const TELL_AGAIN_MS = 10_000

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
  #backOffs: Record<string, BackOffEntry> = {}
  #failures: Record<string, StartFailure> = {}
  #restartingAll: boolean
  #toldAt = new Map<string, number>()
  #sandboxFailures = 0
  #stepFailures = 0
  #watchers: (() => void)[] = []
  /** Of an eviction. */
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
    while (runs() && !signal.aborted && this.#phase.phase !== 'gone') {
      const ending = new AbortController()
      const looked = new Promise<void>(resolve => this.#watchers.push(resolve))
      await Promise.race([looked, aborted(signal, ending.signal)])
      ending.abort()
    }
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
    if (pod.metadata.generation !== this.#pod.metadata.generation) this.#letTryAgain()
    this.#pod = pod
    if (pod.metadata.deletionTimestamp && this.#phase.phase === 'running') this.#step.abort()
    this.wake()
  }

  /** The pod is gone from the API: whatever still runs is stopped, and nothing of it is kept. */
  remove(): void {
    this.#removed = true
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
    const ends = () => this.#phase.phase === 'over' || this.#phase.phase === 'gone'
    while (!ends() && !signal.aborted) {
      const ending = new AbortController()
      const looked = new Promise<void>(resolve => this.#watchers.push(resolve))
      await Promise.race([looked, aborted(signal, ending.signal)])
      ending.abort()
    }
  }

  /** Ends when nothing is left of the pod, or when the signal aborts (containers then keep running). */
  async run(signal: AbortSignal): Promise<void> {
    while (this.#phase.phase !== 'gone' && !signal.aborted) {
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
      if (this.phase !== 'gone') await this.#alarm.wait(signal)
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
      case 'gone':
    }
  }

  async #observe(): Promise<void> {
    const { uid } = this.#pod.metadata
    const { sandboxes, containers } = await this.#parts.view.observe(uid)
    this.#observed = { ...this.#ownState(), sandboxes, containers }
    for (const resolve of this.#watchers.splice(0)) resolve()
    if (!this.#removed) this.#parts.probes.observe(this.#pod, this.#observed)
  }

  #ownState(): Pick<ObservedPod, 'probes' | 'backOffs' | 'startFailures' | 'restartingAll'> {
    return {
      probes: this.#parts.probes.results(this.#pod.metadata.uid),
      backOffs: this.#backOffs,
      startFailures: this.#failures,
      restartingAll: this.#restartingAll,
    }
  }

  // Running

  async #sync(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
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
    if (dead) {
      const key = backOffKey(pod, container as Container)
      const entry = nextBackOff(this.#backOffs[key], dead.finishedAt, clock.now(), backOffLimits)
      this.#backOffs = { ...this.#backOffs, [key]: entry }
    }
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
      const { [name]: _started, ...others } = this.#failures
      this.#failures = others
      return 'go on' as const
    }
    this.#failures = { ...this.#failures, [name]: failure }
    return kind === 'init' ? ('stop' as const) : ('go on' as const)
  }

  #podIPs(): readonly string[] {
    return this.#pod.spec.hostNetwork ? this.#parts.facts.hostIPs : (this.#observed.sandboxes[0]?.ips ?? [])
  }

  #holdBack({ name, message }: Action & { do: 'holdBack' }): void {
    const { events, clock } = this.#parts
    const known = this.#failures[name]
    const same = known?.reason === 'CrashLoopBackOff' && known.message === message
    if (!same) {
      this.#failures = { ...this.#failures, [name]: { reason: 'CrashLoopBackOff', message } }
      this.#alarm.ring()
    }
    if (same && clock.now() - (this.#toldAt.get(name) ?? 0) < TELL_AGAIN_MS) return
    this.#toldAt.set(name, clock.now())
    const { metadata } = this.#pod
    const text = `Back-off restarting failed container ${name} in pod ${metadata.name}_${metadata.namespace}(${metadata.uid})`
    events.tell(this.#pod, 'Warning', 'BackOff', text, name)
  }

  /** An edited spec may mend what failed. */
  #letTryAgain(): void {
    this.#failures = Object.fromEntries(
      Object.entries(this.#failures).map(([name, { retryAt: _retryAt, ...failure }]) => [name, failure]),
    )
  }

  // Stopping

  #beginStopping(after: 'running' | 'over', failWith?: FailWords): void {
    const gracePeriodSeconds = gracePeriodOf(this.#pod, this.#grace())
    const stopping = { startedAt: this.#parts.clock.now(), gracePeriodSeconds, containers: {} }
    this.#phase = { phase: 'stopping', stopping, after, ...(failWith && { failWith }) }
    if (after === 'over') this.#parts.probes.stopping(this.#pod.metadata.uid)
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
    if (phase.after === 'running' && (this.#removed || this.#pod.metadata.deletionTimestamp))
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
    if (phase.after === 'running') {
      this.#phase = { phase: 'running' }
      return
    }
    this.#publish(finalStatus(this.#pod, this.#status(true, phase.failWith)))
    this.#phase = { phase: 'over' }
    for (const resolve of this.#watchers.splice(0)) resolve()
  }

  // Over

  /** Section 5.2.5: volumes and cgroup go, then the object; records and logs stay until the object is gone. */
  async #finish(): Promise<void> {
    const { volumes, cgroups, statuses, images, probes } = this.#parts
    const { uid, deletionTimestamp } = this.#pod.metadata
    await volumes.tearDown(uid)
    cgroups.remove(uid)
    images.forget(uid)
    probes.forget(uid)
    this.#failures = {}
    this.#backOffs = {}
    if (this.#removed) {
      await removeAllRecords(this.#pod, this.#observed, this.#parts)
      this.#phase = { phase: 'gone' }
      return
    }
    if (!deletionTimestamp) return
    await statuses.settled(uid)
    if (!this.#removed) await this.#deleteObject()
  }

  async #deleteObject(): Promise<void> {
    const { name, namespace, uid } = this.#pod.metadata
    const key = { name, ...(namespace && { namespace }) }
    try {
      await this.#parts.client.delete(pods, key, { gracePeriodSeconds: 0, preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  // Status

  #previous(): PodStatus {
    return this.#parts.statuses.latest(this.#pod.metadata.uid) ?? this.#pod.status
  }

  #status(terminal: boolean, failWith?: FailWords): PodStatus {
    const { facts, runtimeName, clock } = this.#parts
    const words = { hostIPs: facts.hostIPs, runtimeName, terminal, ...(failWith && { failWith }) }
    const observed = { ...this.#observed, ...this.#ownState() }
    return computeStatus(this.#pod, observed, this.#previous(), words, clock.now())
  }

  #publish(status: PodStatus): void {
    if (!this.#removed) this.#parts.statuses.set(this.#pod, status)
  }
}
