// Empties a namespace that is being deleted and then lets it go. Upstream: pkg/controller/namespace/deletion.
import { namespaces } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import type { Namespace } from '../../api/types/core-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import type { ResourceCatalog } from '../../client/resource-catalog.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { deleteContent, type Round } from './delete-content.ts'
import { remainsConditions } from './remains-conditions.ts'
import { untilGone } from './until-gone.ts'

const FINALIZER = 'kubernetes'
const CONCURRENCY = 10
/** Upstream: nsControllerRateLimiter. */
const MAX_DELAY_MS = 60_000

export interface NamespaceContext extends ControllerContext {
  catalog: ResourceCatalog
}

export async function runNamespaceController(context: NamespaceContext, signal: AbortSignal): Promise<void> {
  await new NamespaceController(context, signal).run()
}

class NamespaceController {
  readonly #context: NamespaceContext
  readonly #signal: AbortSignal
  readonly #queue: WorkQueue<string>
  readonly #informer: Informer<Namespace>
  /** By namespace: ends the watches for what is left in it. */
  readonly #waits = new Map<string, AbortController>()

  constructor(context: NamespaceContext, signal: AbortSignal) {
    const { client, clock, log } = context
    this.#context = context
    this.#signal = signal
    this.#queue = new WorkQueue({ clock, maxDelayMs: MAX_DELAY_MS })
    this.#informer = new Informer<Namespace>({ client, resource: namespaces, clock, log })
    this.#informer.addHandler({
      add: namespace => this.#enqueue(namespace),
      update: (old, namespace) => {
        if (needsWork(old, namespace)) this.#enqueue(namespace)
      },
      delete: ({ metadata }) => this.#stopWaiting(metadata.name),
    })
  }

  async run(): Promise<void> {
    const signal = this.#signal
    const queue = this.#queue
    const informers = [this.#informer]
    const reconcile = (name: string) => this.#reconcile(name)
    const { log } = this.#context
    await runController({ informers, queue, reconcile, concurrency: CONCURRENCY, signal, log })
    for (const name of [...this.#waits.keys()]) this.#stopWaiting(name)
  }

  #enqueue({ metadata }: Namespace): void {
    if (metadata.deletionTimestamp) this.#queue.add(metadata.name)
  }

  async #reconcile(name: string): Promise<Requeue | undefined> {
    this.#stopWaiting(name)
    const { client, catalog, clock } = this.#context
    const namespace = this.#informer.lister.find(name)
    if (!namespace?.metadata.deletionTimestamp || !namespace.spec.finalizers?.includes(FINALIZER))
      return undefined
    const round = await deleteContent({ client, resources: catalog.list(), now: clock.now() }, namespace)
    const written = await this.#writeConditions(namespace, round)
    this.#waitFor(name, round)
    if (round.errors.length > 0) throw new Error(round.errors.join(', '))
    if (round.remains.length > 0) return { requeueAfterMs: (round.estimateSeconds / 2 + 1) * 1_000 }
    if (written) await this.#finalize(written)
    return undefined
  }

  /** Looks again as soon as all that is left now is gone. */
  #waitFor(name: string, { remains }: Round): void {
    if (remains.length === 0) return
    const stop = new AbortController()
    this.#waits.set(name, stop)
    const signal = AbortSignal.any([stop.signal, this.#signal])
    const { client, log } = this.#context
    Promise.all(remains.map(one => untilGone(client, name, one, signal))).then(
      () => {
        if (!signal.aborted) this.#queue.add(name)
      },
      error => {
        if (!signal.aborted) log.debug({ namespace: name, error }, 'waiting for the content ended')
      },
    )
  }

  #stopWaiting(name: string): void {
    this.#waits.get(name)?.abort()
    this.#waits.delete(name)
  }

  /** Answers what stands there now; undefined when somebody else wrote, and the informer will tell. */
  async #writeConditions(namespace: Namespace, round: Round): Promise<Namespace | undefined> {
    const old = namespace.status.conditions ?? []
    const conditions = remainsConditions(round, old, formatTime(this.#context.clock.now()))
    if (JSON.stringify(conditions) === JSON.stringify(old)) return namespace
    return this.#update({ ...namespace, status: { ...namespace.status, conditions } }, 'status')
  }

  async #finalize(namespace: Namespace): Promise<void> {
    const finalizers = namespace.spec.finalizers!.filter(one => one !== FINALIZER)
    await this.#update({ ...namespace, spec: { ...namespace.spec, finalizers } }, 'finalize')
  }

  async #update(namespace: Namespace, subresource: string): Promise<Namespace | undefined> {
    try {
      return await this.#context.client.update(namespaces, namespace, { subresource })
    } catch (error) {
      if (isNotFound(error)) return undefined
      if (!isConflict(error)) throw error
      this.#queue.addRateLimited(namespace.metadata.name)
      return undefined
    }
  }
}

/** Conditions are ours: a change of them alone is no reason for another round. */
function needsWork(old: Namespace, namespace: Namespace): boolean {
  return (
    old.metadata.deletionTimestamp !== namespace.metadata.deletionTimestamp ||
    old.spec.finalizers?.length !== namespace.spec.finalizers?.length
  )
}
