// Keeps the Endpoints object of every Service with a selector, for clients that do not read EndpointSlices yet.
// Upstream: pkg/controller/endpoint.
import { endpoints, pods, services } from '../../api/resources.ts'
import { isForbidden, isNotFound } from '../../api/status-error.ts'
import type { Endpoints, Pod, Service } from '../../api/types/core-v1.ts'
import { type Requeue, runInformed, runReconciler } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { selects } from '../service-membership.ts'
import { TriggerTimes } from '../trigger-times.ts'
import { watchMembers } from '../watch-members.ts'
import { WrittenObjects } from '../written-objects.ts'
import { decideEndpoints, MANAGED_BY, MANAGER } from './decide-endpoints.ts'

/** How soon to look again when the informer lags behind our own writes. */
const STALE_MS = 5
const WORKERS = 5

export class EndpointsController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #recorder: EventRecorder
  readonly #services: Informer<Service>
  readonly #pods: Informer<Pod>
  readonly #endpoints: Informer<Endpoints>
  readonly #times = new TriggerTimes()
  readonly #written = new WrittenObjects<Endpoints>()

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#queue = new WorkQueue({ clock, baseDelayMs: 5 })
    this.#recorder = new EventRecorder({ client, component: 'endpoint-controller', clock, log })
    this.#services = new Informer({ client, resource: services, clock, log })
    this.#pods = new Informer({ client, resource: pods, clock, log })
    this.#endpoints = new Informer({ client, resource: endpoints, clock, log })
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#listen()
    const informers = [this.#services, this.#pods, this.#endpoints]
    const reconcile = (key: string) => this.#reconcile(key)
    const { log } = this.#context
    await runInformed(informers, signal, () => {
      this.#queueLeftovers()
      return runReconciler({ queue: this.#queue, reconcile, concurrency: WORKERS, signal, log })
    })
  }

  #listen(): void {
    const add = (key: string) => this.#queue.add(key)
    watchMembers(this.#services, this.#pods, add)
    this.#endpoints.addHandler({
      delete: object => {
        this.#written.disappeared(keyOf(object), object)
        add(keyOf(object))
      },
    })
  }

  /** Services may have gone while nobody looked. */
  #queueLeftovers(): void {
    for (const object of this.#endpoints.lister.list())
      if (object.metadata.labels?.[MANAGED_BY] === MANAGER) this.#queue.add(keyOf(object))
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const service = this.#services.lister.findByKey(key)
    if (!service) return this.#remove(key)
    if (service.spec.type === 'ExternalName' || !service.spec.selector) return undefined
    if (this.#written.isAhead(key, this.#endpoints.lister)) return { requeueAfterMs: STALE_MS }
    const selected = this.#pods.lister.list(service.metadata.namespace).filter(pod => selects(service, pod))
    const triggerTime = this.#times.compute(service, selected)
    const present = this.#endpoints.lister.findByKey(key)
    const wanted = decideEndpoints({ service, pods: selected, present, triggerTime })
    if (wanted) await this.#write(service, wanted, present)
    return undefined
  }

  async #remove(key: string): Promise<undefined> {
    this.#times.forget(key)
    this.#written.forget(key)
    const [namespace, name] = key.split('/') as [string, string]
    await this.#context.client.delete(endpoints, { namespace, name }).catch(error => {
      if (!isNotFound(error)) throw error
    })
    return undefined
  }

  async #write(
    service: Service,
    wanted: NonNullable<ReturnType<typeof decideEndpoints>>,
    present: Endpoints | undefined,
  ): Promise<void> {
    const { client } = this.#context
    const key = keyOf(service)
    try {
      const written = present
        ? await client.update(endpoints, wanted as Endpoints)
        : await client.create(endpoints, wanted)
      this.#written.wrote(key, written)
    } catch (error) {
      this.#written.forget(key)
      // The namespace goes away: nothing can be made in it any more.
      if (!present && (isForbidden(error) || isNotFound(error))) return
      this.#report(service, present, error as Error)
      throw error
    }
  }

  #report(service: Service, present: Endpoints | undefined, { message }: Error): void {
    const { namespace, name } = service.metadata
    const [reason, words] = present
      ? ['FailedToUpdateEndpoint', `Failed to update endpoint ${namespace}/${name}: ${message}`]
      : ['FailedToCreateEndpoint', `Failed to create endpoint for service ${namespace}/${name}: ${message}`]
    const subject = { apiVersion: 'v1', kind: 'Endpoints', metadata: { namespace: namespace!, name } }
    this.#recorder.event(present ?? subject, 'Warning', reason!, words!)
  }
}
