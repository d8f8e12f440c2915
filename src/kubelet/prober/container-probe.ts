// One probe of one container, from its first run to the container's end. Upstream: prober/worker.go.
import type { Container, Pod, Probe } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { KubeletInstruments } from '../metrics/kubelet-instruments.ts'
import type { PodEvents } from '../pod-events.ts'
import type { ProbeResult } from '../pod-worker/observed-pod.ts'
import type { ProbeOutcome } from './probe-outcome.ts'
import { nextProbe, type ProbeKind } from './probe-schedule.ts'
import { afterOutcome, initialState, type ProbeState } from './probe-verdict.ts'
import { runProbe } from './run-probe.ts'

/** A container that is not ready is looked at again when its pod is, but not more often than this. */
const NUDGE_MS = 1_000

export interface ContainerProbeParts {
  runtime: RuntimeService
  events: PodEvents
  clock: Clock
  random: () => number
  /** Where runs are counted. */
  instruments?: Pick<KubeletInstruments, 'probed' | 'forgetProbes'>
}

export interface ContainerProbeInputs {
  kind: ProbeKind
  probe: Probe
  container: Container
  containerId: string
  startedAt: number
  /** What the API says of a container that ran before this kubelet did; its probes start spread over one period. */
  takenOver?: ProbeResult
  /** The pod and its address as they are when asked. */
  pod: () => Pod
  podIP: () => string
  /** The verdict is another one now. */
  changed: () => void
}

export class ContainerProbe {
  readonly #inputs: ContainerProbeInputs
  readonly #parts: ContainerProbeParts
  readonly #ending = new AbortController()
  #state: ProbeState
  #nudge = new AbortController()
  #lastRunAt = Number.NEGATIVE_INFINITY
  #turnAt: number | undefined

  constructor(inputs: ContainerProbeInputs, parts: ContainerProbeParts) {
    this.#inputs = inputs
    this.#parts = parts
    this.#state = initialState(inputs.kind, inputs.takenOver)
  }

  get result(): ProbeResult {
    return this.#state.result
  }

  /** Its turn has come: for liveness and readiness, when the container has started. Further calls do nothing. */
  begin(): void {
    if (this.#turnAt !== undefined || this.#ending.signal.aborted) return
    this.#turnAt = this.#parts.clock.now()
    void this.#run(this.#turnAt)
  }

  /** Upstream's manual trigger: a container that is not ready is probed when its status is looked at. */
  nudge(): void {
    if (this.#state.result === 'success' || this.#turnAt === undefined) return
    const { probe, startedAt } = this.#inputs
    const now = this.#parts.clock.now()
    if (now < startedAt + (probe.initialDelaySeconds ?? 0) * 1_000) return
    if (now - this.#lastRunAt >= NUDGE_MS) this.#nudge.abort()
  }

  /** No more runs. With a result, that is the verdict from now on. */
  end(result?: ProbeResult): void {
    this.#ending.abort()
    if (result) this.#state = { ...this.#state, result }
  }

  async #run(turnAt: number): Promise<void> {
    const { clock } = this.#parts
    const { kind, probe, startedAt, takenOver } = this.#inputs
    const signal = this.#ending.signal
    const times = { kind, probe, startedAt, turnAt, trials: 0, countedAt: undefined as number | undefined }
    if (takenOver) {
      times.countedAt = clock.now() - (1 - this.#parts.random()) * (probe.periodSeconds || 10) * 1_000
    }
    while (!this.#state.onHold && !signal.aborted) {
      const { at, counts } = nextProbe(definedOnly(times))
      const nudged = await this.#sleepUntil(at)
      if (signal.aborted) return
      this.#lastRunAt = clock.now()
      const outcome = await this.#probe(signal)
      if (!outcome) return
      const good = outcome.result === 'success' || outcome.result === 'warning'
      if (counts && !nudged) times.countedAt = Math.max(at, this.#lastRunAt - 1)
      else if (!counts) times.trials++
      if (counts || good) this.#take(outcome)
      if (good && times.countedAt === undefined) times.countedAt = this.#lastRunAt
    }
  }

  /** Answers whether it was woken before its time. */
  async #sleepUntil(at: number): Promise<boolean> {
    const { clock } = this.#parts
    this.#nudge = new AbortController()
    const ms = at - clock.now()
    if (ms <= 0) return false
    await clock.sleep(ms, AbortSignal.any([this.#ending.signal, this.#nudge.signal])).catch(() => {})
    return this.#nudge.signal.aborted
  }

  /** Undefined when the probe was ended meanwhile. */
  async #probe(signal: AbortSignal): Promise<ProbeOutcome | undefined> {
    const { probe, container, containerId, podIP } = this.#inputs
    const target = { probe, container, containerId, podIP: podIP() }
    const outcome = await runProbe(target, this.#parts, signal).catch(() => undefined)
    if (outcome) this.#count(outcome)
    return signal.aborted ? undefined : outcome
  }

  #count({ result }: ProbeOutcome): void {
    const { kind, container, pod } = this.#inputs
    const { name, namespace = '', uid } = pod().metadata
    const subject = { container: container.name, namespace, pod: name, podUid: uid, type: capitalized(kind) }
    const seconds = (this.#parts.clock.now() - this.#lastRunAt) / 1_000
    this.#parts.instruments?.probed(subject, COUNTED_AS[result], seconds)
  }

  #take(outcome: ProbeOutcome): void {
    const { kind, probe, changed } = this.#inputs
    this.#tell(outcome)
    if (outcome.result === 'error') return
    const before = this.#state.result
    const good = outcome.result !== 'failure'
    this.#state = afterOutcome(kind, probe, this.#state, good ? 'success' : 'failure')
    if (this.#state.result !== before) changed()
  }

  #tell({ result, output }: ProbeOutcome): void {
    const { kind, container, pod } = this.#inputs
    const what = `${capitalized(kind)} probe`
    const warn = (reason: string, text: string) =>
      this.#parts.events.tell(pod(), 'Warning', reason, text, container.name)
    if (result === 'warning') warn('ProbeWarning', `${what} warning: ${output}`)
    if (result === 'failure') warn('Unhealthy', `${what} failed: ${output}`)
    if (result === 'error') warn('Unhealthy', `${what} errored and resulted in unknown state: ${output}`)
  }
}

const capitalized = (kind: ProbeKind) => `${kind[0]!.toUpperCase()}${kind.slice(1)}`

const COUNTED_AS = {
  success: 'successful',
  warning: 'successful',
  failure: 'failed',
  error: 'unknown',
} as const

type Times = Parameters<typeof nextProbe>[0]

function definedOnly({
  countedAt,
  ...times
}: Omit<Times, 'countedAt'> & { countedAt: number | undefined }): Times {
  return countedAt === undefined ? times : { ...times, countedAt }
}
