// One look at an autoscaler: what its target has, what its metrics ask for, what is done, and what its status says.
// Upstream: reconcileAutoscaler of pkg/controller/podautoscaler/horizontal.go.
import { isDeepStrictEqual } from 'node:util'
import { horizontalPodAutoscalers } from '../../api/resources.ts'
import { formatTime } from '../../api/time.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from '../../api/types/autoscaling-v2.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events/event-recorder.ts'
import type { ResourceCatalog } from '../../client/resource-catalog.ts'
import { messageOf } from '../pod-control/pod-control.ts'
import { type Judgement, withJudgements } from './autoscaler-conditions.ts'
import type { AutoscalerSettings } from './autoscaler-settings.ts'
import { decideByMetrics, decideWithoutMetrics, type ScaleDecision, tolerancesOf } from './decide-scale.ts'
import { judgeMetrics, type MetricsVerdict } from './judge-metrics.ts'
import type { MetricsClient } from './metrics-client.ts'
import { readScaleTarget, type ScaleTarget, writeScale } from './scale-target.ts'
import { firstMemory, type ScalingMemory, withChange } from './scaling-memory.ts'
import { type PodFinder, SelectorProblem, targetPods } from './target-pods.ts'

export interface AutoscalerRoundParts extends PodFinder {
  client: Client
  catalog: ResourceCatalog
  metrics: MetricsClient
  recorder: Pick<EventRecorder, 'event'>
  settings: AutoscalerSettings
  now: number
  memory: ScalingMemory | undefined
  remember(memory: ScalingMemory): void
}

/** Throws when the status could not be written. */
export function runAutoscalerRound(
  parts: AutoscalerRoundParts,
  autoscaler: HorizontalPodAutoscaler,
): Promise<void> {
  return new AutoscalerRound(parts, autoscaler).run()
}

class AutoscalerRound {
  readonly #parts: AutoscalerRoundParts
  readonly #autoscaler: HorizontalPodAutoscaler
  #status: HorizontalPodAutoscalerStatus

  constructor(parts: AutoscalerRoundParts, autoscaler: HorizontalPodAutoscaler) {
    this.#parts = parts
    this.#autoscaler = autoscaler
    this.#status = autoscaler.status ?? { desiredReplicas: 0, currentMetrics: [] }
  }

  async run(): Promise<void> {
    let target: ScaleTarget
    try {
      target = await readScaleTarget(this.#autoscaler, this.#parts)
    } catch (error) {
      const message = messageOf(error)
      this.#tell('Warning', 'FailedGetScale', message)
      this.#judge(ableToScale('FailedGetScale', `unable to get the target's current scale: ${message}`))
      await this.#write()
      return
    }
    this.#judge(ableToScale('SucceededGetScale', "able to get the target's current scale"))
    await this.#scale(target)
  }

  async #scale(target: ScaleTarget): Promise<void> {
    const { now, settings } = this.#parts
    const { spec } = this.#autoscaler
    const current = target.scale.spec.replicas ?? 0
    const memory = this.#parts.memory ?? firstMemory(current, now)
    this.#parts.remember(memory)
    const stabilizationMs = settings.downscaleStabilizationMs
    const question = { spec, current, memory, stabilizationMs, now }
    const plain = decideWithoutMetrics(question)
    if (plain) {
      await this.#perform(target, current, plain, [])
      return
    }
    const verdict = await this.#judgeMetrics(target)
    this.#judge(verdict.judgement)
    if (!verdict.proposal) {
      this.#counted(current, this.#status.desiredReplicas ?? 0, verdict.statuses)
      await this.#write()
      if (verdict.problem) this.#tell('Warning', 'FailedComputeMetricsReplicas', verdict.problem)
      return
    }
    await this.#perform(target, current, decideByMetrics(question, verdict.proposal), verdict.statuses)
  }

  async #judgeMetrics({ scale }: ScaleTarget): Promise<MetricsVerdict> {
    const { metrics, settings, now } = this.#parts
    const { metadata, spec } = this.#autoscaler
    const namespace = metadata.namespace ?? ''
    try {
      const selector = scale.status?.selector ?? ''
      const verdict = await judgeMetrics(spec.metrics ?? [], {
        metrics,
        namespace,
        selector,
        pods: targetPods(selector, namespace, this.#parts),
        specReplicas: scale.spec.replicas ?? 0,
        statusReplicas: scale.status?.replicas ?? 0,
        tolerances: tolerancesOf(spec, settings.tolerance),
        readiness: settings.readiness,
        now,
      })
      for (const { reason, what } of verdict.failures) this.#tell('Warning', reason, what)
      return verdict
    } catch (error) {
      if (!(error instanceof SelectorProblem)) throw error
      const { reason, shown: message } = error
      this.#tell('Warning', reason, error.message)
      const judged = reason === 'SelectorRequired' ? 'InvalidSelector' : reason
      return {
        statuses: [],
        failures: [],
        problem: error.message,
        judgement: { type: 'ScalingActive', status: 'False', reason: judged, message },
      }
    }
  }

  async #perform(
    target: ScaleTarget,
    current: number,
    { replicas, reason, memory, judgements }: ScaleDecision,
    statuses: MetricStatus[],
  ): Promise<void> {
    const { client, now, remember } = this.#parts
    this.#judge(...judgements)
    remember(memory)
    if (replicas === current) {
      this.#counted(current, current, statuses)
      await this.#write()
      return
    }
    try {
      await writeScale(client, target, replicas)
    } catch (error) {
      const message = messageOf(error)
      this.#tell('Warning', 'FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${message}`)
      this.#judge(ableToScale('FailedUpdateScale', `unable to update the target scale: ${message}`))
      this.#counted(current, this.#status.desiredReplicas ?? 0, this.#status.currentMetrics ?? [])
      await this.#write()
      return
    }
    this.#judge(ableToScale('SucceededRescale', `able to update the target scale to ${replicas}`))
    this.#tell('Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`)
    const { scaleUp, scaleDown } = this.#autoscaler.spec.behavior ?? {}
    const rules = replicas > current ? scaleUp : scaleDown
    if (rules) remember(withChange(memory, { before: current, after: replicas, rules, now }))
    this.#counted(current, replicas, statuses)
    this.#status = { ...this.#status, lastScaleTime: formatTime(now) }
    await this.#write()
  }

  #counted(currentReplicas: number, desiredReplicas: number, currentMetrics: MetricStatus[]): void {
    this.#status = { ...this.#status, currentReplicas, desiredReplicas, currentMetrics }
  }

  #judge(...judgements: Judgement[]): void {
    const conditions = withJudgements(this.#status.conditions, judgements, this.#parts.now)
    this.#status = { ...this.#status, conditions }
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#parts.recorder.event(this.#autoscaler, type, reason, message)
  }

  async #write(): Promise<void> {
    if (isDeepStrictEqual(this.#status, this.#autoscaler.status)) return
    const autoscaler = { ...this.#autoscaler, status: this.#status }
    try {
      await this.#parts.client.update(horizontalPodAutoscalers, autoscaler, { subresource: 'status' })
    } catch (error) {
      this.#tell('Warning', 'FailedUpdateStatus', messageOf(error))
      throw error
    }
  }
}

const ABLE = new Set(['SucceededGetScale', 'SucceededRescale'])

const ableToScale = (reason: string, what: string): Judgement => ({
  type: 'AbleToScale',
  status: ABLE.has(reason) ? 'True' : 'False',
  reason,
  message: `the HPA controller was ${what}`,
})
