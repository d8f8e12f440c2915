// Keeps the status of PodDisruptionBudgets, which evictions are judged by.
// Upstream: pkg/controller/disruption/disruption.go.
import { isDeepStrictEqual } from 'node:util'
import { matcherOf } from '../../api/labels.ts'
import { withPodCondition } from '../../api/pod/pod-condition.ts'
import { podDisruptionBudgets, pods as podResource } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/types/policy-v1.ts'
import { type Requeue, runInformed, runReconciler } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import { messageOf } from '../pod-control/pod-control.ts'
import { isTerminal } from '../pod-control/pod-state.ts'
import {
  budgetStatus,
  DELETION_TIMEOUT_MS,
  disruptedPods,
  failedStatus,
  needsScale,
  wantedHealthy,
} from './budget-status.ts'
import { ControllerScales, type ScaleContext } from './controller-scale.ts'
import { showSelector } from './show-selector.ts'

export class DisruptionController {
  readonly #context: ScaleContext
  readonly #recorder: EventRecorder
  readonly #queue: WorkQueue<string>
  /** Pods that somebody said would go. */
  readonly #stale: WorkQueue<string>
  readonly #budgets: Informer<PodDisruptionBudget>
  readonly #pods: Informer<Pod>
  readonly #scales: ControllerScales

  constructor(context: ScaleContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#recorder = new EventRecorder({ client, component: 'controllermanager', clock, log })
    this.#queue = new WorkQueue({ clock })
    this.#stale = new WorkQueue({ clock })
    this.#budgets = new Informer({ client, resource: podDisruptionBudgets, clock, log })
    this.#pods = new Informer({ client, resource: podResource, clock, log })
    this.#scales = new ControllerScales(context)
    const enqueue = (budget: PodDisruptionBudget) => this.#queue.add(keyOf(budget))
    this.#budgets.addHandler({ add: enqueue, update: (_, budget) => enqueue(budget), delete: enqueue })
    this.#pods.addHandler({
      add: pod => this.#podChanged(pod),
      update: (_, pod) => this.#podChanged(pod),
      delete: pod => this.#enqueueBudgets(pod),
    })
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#budgets, this.#pods, ...this.#scales.informers]
    const { log } = this.#context
    const budgets = { queue: this.#queue, reconcile: (key: string) => this.#reconcile(key) }
    const stale = { queue: this.#stale, reconcile: (key: string) => this.#forgetDisruption(key) }
    await runInformed(informers, signal, () =>
      Promise.all([runReconciler({ ...budgets, signal, log }), runReconciler({ ...stale, signal, log })]),
    )
  }

  #podChanged(pod: Pod): void {
    this.#enqueueBudgets(pod)
    const wait = this.#staleInMs(pod)
    if (wait !== undefined) this.#stale.addAfter(keyOf(pod), wait)
  }

  #enqueueBudgets({ metadata }: Pod): void {
    for (const budget of this.#budgets.lister.list(metadata.namespace)) {
      if (matcherOf(budget.spec.selector)(metadata.labels)) this.#queue.add(keyOf(budget))
    }
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const budget = this.#budgets.lister.findByKey(key)
    if (!budget) return undefined
    try {
      return await this.#update(budget)
    } catch (error) {
      if (isNotFound(error)) return undefined
      if (isConflict(error)) {
        this.#queue.addRateLimited(key)
        return undefined
      }
      this.#context.log.debug({ key, error }, 'a disruption budget could not be judged')
      await this.#write(budget, failedStatus(budget, messageOf(error), this.#context.clock.now()))
      return undefined
    }
  }

  async #update(budget: PodDisruptionBudget): Promise<Requeue | undefined> {
    const now = this.#context.clock.now()
    const selects = matcherOf(budget.spec.selector)
    const pods = this.#pods.lister
      .list(budget.metadata.namespace)
      .filter(({ metadata }) => selects(metadata.labels))
    if (pods.length === 0) this.#recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found')
    const scale = needsScale(budget) ? await this.#scaleOf(budget, pods) : pods.length
    const disrupted = disruptedPods(budget, pods, now)
    for (const pod of disrupted.overdue) {
      const { namespace, name } = budget.metadata
      const message = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`
      this.#recorder.event(pod, 'Warning', 'NotDeleted', message)
    }
    await this.#write(budget, budgetStatus(budget, pods, wantedHealthy(budget, scale), disrupted.pods, now))
    return disrupted.recheckAt === undefined ? undefined : { requeueAfterMs: disrupted.recheckAt - now + 1 }
  }

  async #scaleOf(budget: PodDisruptionBudget, pods: readonly Pod[]): Promise<number> {
    try {
      const { scale, unmanaged } = await this.#scales.scaleOf(pods)
      if (unmanaged.length > 0) this.#tellUnmanaged(budget)
      return scale
    } catch (error) {
      const message = `Failed to calculate the number of expected pods: ${messageOf(error)}`
      this.#recorder.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', message)
      throw error
    }
  }

  #tellUnmanaged(budget: PodDisruptionBudget): void {
    const selector = showSelector(budget.spec.selector)
    this.#recorder.event(
      budget,
      'Warning',
      'UnmanagedPods',
      `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
    )
  }

  async #write(budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus): Promise<void> {
    if (isDeepStrictEqual(status, budget.status)) return
    await this.#context.client.update(podDisruptionBudgets, { ...budget, status }, { subresource: 'status' })
  }

  /** Milliseconds until a Pod that was to be disrupted counts as spared. Upstream: nonTerminatingPodHasStaleDisruptionCondition. */
  #staleInMs(pod: Pod): number | undefined {
    if (pod.metadata.deletionTimestamp || isTerminal(pod)) return undefined
    const target = pod.status.conditions?.find(
      ({ type, status }) => type === 'DisruptionTarget' && status === 'True',
    )
    if (!target?.lastTransitionTime) return undefined
    return Date.parse(target.lastTransitionTime) + DELETION_TIMEOUT_MS - this.#context.clock.now()
  }

  /** Upstream: syncStalePodDisruption. */
  async #forgetDisruption(key: string): Promise<Requeue | undefined> {
    const pod = this.#pods.lister.findByKey(key)
    const wait = pod && this.#staleInMs(pod)
    if (!pod || wait === undefined) return undefined
    if (wait > 0) return { requeueAfterMs: wait }
    const { client, clock } = this.#context
    const spared = withPodCondition(pod, { type: 'DisruptionTarget', status: 'False' }, clock.now())
    try {
      await client.update(podResource, spared, { subresource: 'status' })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    return undefined
  }
}
