// A step of a pod that is to run: decides, and carries out what was decided.
import type { Container, PodStatus } from '../../api/types/core-v1.ts'
import { findContainer } from '../pod-name.ts'
import { performResize } from '../resize/perform-resize.ts'
import { isResized } from '../resize/resize-actions.ts'
import { isTerminal } from '../status/compute-status.ts'
import type { Action } from './actions.ts'
import type { Alarm } from './alarm.ts'
import { killContainer } from './container-killer.ts'
import { startContainer } from './container-starter.ts'
import { decide } from './decide.ts'
import type { PodState } from './pod-state.ts'
import { removeContainer, removeSandbox } from './record-remover.ts'
import { configOf, createSandbox } from './sandbox-keeper.ts'
import type { FailWords } from './worker-phase.ts'

const SANDBOX_RETRY_MS = 1_000
const RETRY_MAX_MS = 10_000

const REJECTED = 'Pod was rejected: '

const DEADLINE: FailWords = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
}

/** What follows a step: the pod goes on, is stopped and run anew, or is over. */
export type StepOutcome = { next: 'running' } | { next: 'restart' } | { next: 'over'; failWith?: FailWords }

const GO_ON: StepOutcome = { next: 'running' }

/** Void: the rest of the step's actions rests on what did not come true. */
type Performed = 'done' | 'void' | 'killPod'

export class RunningPod {
  readonly #state: PodState
  readonly #alarm: Alarm
  #sandboxFailures = 0
  #isAdmitted = false

  constructor(state: PodState, alarm: Alarm) {
    this.#state = state
    this.#alarm = alarm
  }

  /** Throws when the signal aborts, and what the runtime throws. */
  async takeStep(signal: AbortSignal): Promise<StepOutcome> {
    const state = this.#state
    const { clock, events, volumes } = state.parts
    this.#settleResize()
    const status = state.status(false)
    const deadline = deadlineOf(status, state.pod.spec.activeDeadlineSeconds)
    if (deadline <= clock.now()) {
      events.tell(state.pod, 'Normal', DEADLINE.reason, DEADLINE.message)
      return { next: 'over', failWith: DEADLINE }
    }
    if (isTerminal(status.phase)) {
      state.publishUndecided()
      return { next: 'over' }
    }
    const failWith = await this.#admit()
    if (failWith) return { next: 'over', failWith }
    state.publish(status)
    this.#alarm.ringAt(deadline)
    const made = await volumes.setUp(state.pod, status.podIPs?.map(({ ip }) => ip) ?? [])
    this.#alarm.ringAt(volumes.nextAt(state.uid) ?? Number.POSITIVE_INFINITY)
    return made.state === 'waiting' ? GO_ON : this.#act(signal)
  }

  /** Plugins have a say in whether the node takes a pod; one that has been started here was taken. */
  async #admit(): Promise<FailWords | undefined> {
    const { pod, parts } = this.#state
    if (this.#isAdmitted || pod.status.startTime) return undefined
    const refused = await parts.plugins.admit(pod)
    this.#isAdmitted = !refused
    if (refused) parts.events.tell(pod, 'Warning', refused.reason, refused.message.replace(REJECTED, ''))
    return refused
  }

  /** False when it must be tried again. */
  async #prepare(): Promise<boolean> {
    const { pod, parts } = this.#state
    try {
      await parts.plugins.prepare(pod)
      return true
    } catch (error) {
      const text = `Failed to prepare dynamic resources: ${(error as Error).message}`
      parts.events.tell(pod, 'Warning', 'FailedPrepareDynamicResources', text)
      return false
    }
  }

  async #act(signal: AbortSignal): Promise<StepOutcome> {
    const { pod, parts } = this.#state
    for (const action of decide(pod, this.#state.current(), parts.clock.now())) {
      signal.throwIfAborted()
      const performed = await this.#perform(action, signal)
      if (performed === 'killPod') return { next: 'restart' }
      if (performed === 'void') return GO_ON
    }
    return GO_ON
  }

  async #perform(action: Action, signal: AbortSignal): Promise<Performed> {
    const state = this.#state
    const { pod, parts } = state
    switch (action.do) {
      case 'killPod':
        return 'killPod'
      case 'createSandbox':
        return this.#createSandbox(action, signal)
      case 'startContainer':
        return this.#startContainer(action, signal)
      case 'killContainer':
        await killContainer(action, pod, state.podIPs[0], parts, signal)
        this.#alarm.ring()
        return 'done'
      case 'removeContainer':
        await removeContainer(action.id, !action.keepLogs, pod, state.observed, parts)
        this.#alarm.ring()
        return 'done'
      case 'removeSandbox':
        await removeSandbox(action.id, parts)
        return 'done'
      case 'resize':
        await this.#resize(action, signal)
        return 'done'
      case 'holdBack':
        this.#holdBack(action)
        return 'done'
      case 'beginRestartAll':
      case 'endRestartAll':
        state.restartingAll = action.do === 'beginRestartAll'
        this.#alarm.ring()
        if (state.restartingAll) state.publish(state.status(false))
        return 'done'
      case 'checkAgain':
        this.#alarm.ringAt(action.at)
        return 'done'
    }
  }

  async #createSandbox(
    { attempt, replaces }: Action & { do: 'createSandbox' },
    signal: AbortSignal,
  ): Promise<Performed> {
    const state = this.#state
    const { parts, pod } = state
    const made =
      (await this.#prepare()) && (await createSandbox(pod, attempt, replaces !== undefined, parts, signal))
    if (!made) {
      const delay = Math.min(SANDBOX_RETRY_MS * 2 ** this.#sandboxFailures++, RETRY_MAX_MS)
      this.#alarm.ringAt(parts.clock.now() + delay)
      return 'void'
    }
    this.#sandboxFailures = 0
    await state.observe()
    // The pod's address shows before images are pulled.
    state.publish(state.status(false))
    this.#alarm.ring()
    return 'done'
  }

  async #startContainer(
    { name, kind }: Action & { do: 'startContainer' },
    signal: AbortSignal,
  ): Promise<Performed> {
    const { pod, parts, observed, starts, podIPs } = this.#state
    const container = findContainer(pod, name)!
    const sandbox = observed.sandboxes[0]
    if (!sandbox?.ready) return 'void'
    const dead = observed.containers.find(one => one.name === name && one.state === 'exited')
    if (dead) starts.restarting(pod, container as Container, dead, parts.clock.now(), parts.backOffLimits)
    const sandboxConfig = configOf(pod, sandbox.attempt, parts)
    const context = { pod, observed, sandboxId: sandbox.id, sandboxConfig, podIPs, signal }
    // The status of the one before shows together with this one's, if that is a matter of a moment.
    const isQuick = parts.prepared.has(pod.metadata.uid, name) && !container.lifecycle?.postStart
    const release = isQuick ? parts.statuses.hold(pod) : () => {}
    const failure = await startContainer(container, context, parts).finally(release)
    this.#alarm.ring()
    if (failure) starts.failed(name, failure)
    else starts.started(name)
    return failure && kind === 'init' ? 'void' : 'done'
  }

  #holdBack({ name, message }: Action & { do: 'holdBack' }): void {
    const { pod, starts, parts } = this.#state
    const { isNew, tell } = starts.heldBack(name, message, parts.clock.now())
    if (isNew) this.#alarm.ring()
    if (!tell) return
    const { metadata } = pod
    const text = `Back-off restarting failed container ${name} in pod ${metadata.name}_${metadata.namespace}(${metadata.uid})`
    parts.events.tell(pod, 'Warning', 'BackOff', text, name)
  }

  /** A resize is over when every container has its share; the pod's own cgroup follows at the latest now. */
  #settleResize(): void {
    const { pod, observed, uid, parts } = this.#state
    if (!parts.resizes.state(uid).inProgress || !isResized(pod, observed)) return
    parts.cgroups.ensure(pod)
    parts.resizes.completed(uid)
  }

  async #resize({ updates }: Action & { do: 'resize' }, signal: AbortSignal): Promise<void> {
    const state = this.#state
    const { resizes, view, clock } = state.parts
    const problem = await performResize(state.pod, updates, state.parts, signal)
    for (const { id } of updates) view.changed(id, state.uid)
    if (problem === undefined) return this.#alarm.ring()
    resizes.failed(state.uid, problem)
    state.publish(state.status(false))
    this.#alarm.ringAt(clock.now() + RETRY_MAX_MS)
  }
}

/** startTime plus activeDeadlineSeconds: init containers count too. Infinity where there is none. */
function deadlineOf({ startTime }: PodStatus, seconds: number | undefined): number {
  return seconds === undefined || !startTime
    ? Number.POSITIVE_INFINITY
    : Date.parse(startTime) + seconds * 1000
}
