// Keeps the status of ResourceQuotas: what admission has counted up is counted anew when objects go.
// Upstream: pkg/controller/resourcequota/resource_quota_controller.go.
import { resourceQuotas } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { ResourceQuota } from '../../api/types/core-v1.ts'
import { type Requeue, runInformed, runReconciler } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import { type CountedContext, CountedResources } from './counted-resources.ts'
import { quotaStatus, sameStatus, usesLess } from './quota-usage.ts'

const CONCURRENCY = 5
/** Upstream: --resource-quota-sync-period. Catches what no event tells, such as grace that runs out. */
const RESYNC_MS = 300_000
/**
 * Admission counts an object up before it is stored. Usage is lowered only when the quota was left alone for so long,
 * so that no create that is under way is given back.
 */
const CALM_MS = 200

export class ResourceQuotaController {
  readonly #context: CountedContext
  readonly #queue: WorkQueue<string>
  readonly #quotas: Informer<ResourceQuota>
  readonly #counted: CountedResources
  /** When the informer showed the newest version of each quota. */
  readonly #changedAt = new Map<string, number>()

  constructor(context: CountedContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#queue = new WorkQueue({ clock })
    this.#quotas = new Informer({ client, resource: resourceQuotas, clock, log })
    this.#counted = new CountedResources(context, namespace => {
      for (const quota of this.#quotas.lister.list(namespace)) this.#queue.add(keyOf(quota))
    })
    this.#quotas.addHandler({
      add: quota => this.#quotaChanged(quota),
      update: (old, quota) => this.#quotaChanged(quota, old),
      delete: quota => {
        this.#changedAt.delete(keyOf(quota))
        this.#watchCounted()
      },
    })
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const reconcile = (key: string) => this.#reconcile(key, signal)
    const loop = { queue: this.#queue, reconcile, signal, log: this.#context.log, concurrency: CONCURRENCY }
    await runInformed([this.#quotas], signal, async () => {
      const stopListening = this.#context.catalog.subscribe(() => this.#watchCounted())
      await runReconciler(loop)
      stopListening()
    })
    await this.#counted.stop()
  }

  #quotaChanged(quota: ResourceQuota, old?: ResourceQuota): void {
    const key = keyOf(quota)
    this.#changedAt.set(key, this.#context.clock.now())
    if (old && JSON.stringify(old.spec) === JSON.stringify(quota.spec)) return
    this.#watchCounted()
    this.#queue.add(key)
  }

  #watchCounted(): void {
    const quotas = this.#quotas.lister.list()
    this.#counted.watchOnly(new Set(quotas.flatMap(({ spec }) => Object.keys(spec.hard ?? {}))))
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Requeue | undefined> {
    const named = this.#quotas.lister.findByKey(key)
    if (!named) return undefined
    const { namespace } = named.metadata
    const counted = await this.#counted.of(namespace!, Object.keys(named.spec.hard ?? {}))
    const quota = this.#quotas.lister.findByKey(key)
    if (!quota || signal.aborted) return undefined
    const now = this.#context.clock.now()
    const status = quotaStatus(quota, counted, now)
    if (sameStatus(status, quota.status)) return { requeueAfterMs: RESYNC_MS }
    const calmInMs = (this.#changedAt.get(key) ?? now) + CALM_MS - now
    if (usesLess(status, quota.status) && calmInMs > 0) return { requeueAfterMs: calmInMs }
    try {
      await this.#context.client.update(resourceQuotas, { ...quota, status }, { subresource: 'status' })
    } catch (error) {
      if (isNotFound(error)) return undefined
      if (!isConflict(error)) throw error
      this.#queue.addRateLimited(key)
    }
    return { requeueAfterMs: RESYNC_MS }
  }
}
