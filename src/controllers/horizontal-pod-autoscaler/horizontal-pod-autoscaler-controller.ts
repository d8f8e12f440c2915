// Gives targets as many replicas as their pods' figures ask for. Upstream: pkg/controller/podautoscaler.
import { isDeepStrictEqual } from 'node:util'
import type { LabelMatcher } from '../../api/labels.ts'
import { horizontalPodAutoscalers, pods as podResource } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { HorizontalPodAutoscaler } from '../../api/types/autoscaling-v2.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import type { ResourceCatalog } from '../../client/resource-catalog.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { runAutoscalerRound } from './autoscaler-round.ts'
import type { AutoscalerSettings } from './autoscaler-settings.ts'
import { MetricsClient } from './metrics-client.ts'
import type { ScalingMemory } from './scaling-memory.ts'
import { SelectingAutoscalers } from './selecting-autoscalers.ts'

/** As upstream's --concurrent-horizontal-pod-autoscaler-syncs. */
const AT_ONCE = 5

export interface AutoscalerContext extends ControllerContext {
  catalog: ResourceCatalog
  settings: AutoscalerSettings
}

export class HorizontalPodAutoscalerController {
  readonly #context: AutoscalerContext
  readonly #metrics: MetricsClient
  readonly #recorder: EventRecorder
  readonly #queue: WorkQueue<string>
  readonly #autoscalers: Informer<HorizontalPodAutoscaler>
  readonly #pods: Informer<Pod>
  readonly #memories = new Map<string, ScalingMemory>()
  readonly #selecting = new SelectingAutoscalers()

  constructor(context: AutoscalerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#metrics = new MetricsClient(context)
    this.#recorder = new EventRecorder({ client, component: 'horizontal-pod-autoscaler', clock, log })
    this.#queue = new WorkQueue({ clock })
    this.#autoscalers = new Informer({ client, resource: horizontalPodAutoscalers, clock, log })
    this.#pods = new Informer({ client, resource: podResource, clock, log })
    const enqueue = (autoscaler: HorizontalPodAutoscaler) => this.#queue.add(keyOf(autoscaler))
    this.#autoscalers.addHandler({
      add: enqueue,
      update: (before, after) => {
        if (!isDeepStrictEqual(before.spec, after.spec)) enqueue(after)
      },
      delete: enqueue,
    })
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await runController({
      informers: [this.#autoscalers, this.#pods],
      queue: this.#queue,
      reconcile: key => this.#reconcile(key),
      concurrency: AT_ONCE,
      signal,
      log: this.#context.log,
    })
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const autoscaler = this.#autoscalers.lister.findByKey(key)
    if (!autoscaler || autoscaler.metadata.deletionTimestamp) {
      this.#memories.delete(key)
      this.#selecting.delete(key)
      return undefined
    }
    const { clock, log, settings } = this.#context
    const again = { requeueAfterMs: settings.syncPeriodMs }
    const { name, namespace = '' } = autoscaler.metadata
    try {
      await runAutoscalerRound(
        {
          ...this.#context,
          metrics: this.#metrics,
          recorder: this.#recorder,
          now: clock.now(),
          memory: this.#memories.get(key),
          remember: memory => this.#memories.set(key, memory),
          podsOf: (where, selects) => this.#podsOf(where, selects),
          rivals: (selects, pods) => {
            this.#selecting.set(key, { name, namespace, selects })
            return this.#selecting.rivals(namespace, pods)
          },
        },
        autoscaler,
      )
    } catch (error) {
      // The next round is the next try.
      if (!isNotFound(error) && !isConflict(error))
        log.warn({ key, error }, 'an autoscaler could not be judged')
    }
    return again
  }

  #podsOf(namespace: string, selects: LabelMatcher): readonly Pod[] {
    return this.#pods.lister.list(namespace).filter(({ metadata }) => selects(metadata.labels))
  }
}
