// Keeps EndpointSlices of every Service with a selector. Upstream: pkg/controller/endpointslice.
import { endpointSlices, nodes, pods, services } from '../../api/resources.ts'
import { isForbidden, isNotFound } from '../../api/status-error.ts'
import type { Node, Pod, Service } from '../../api/types/core-v1.ts'
import type { EndpointSlice } from '../../api/types/discovery-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { selects } from '../service-membership.ts'
import { TriggerTimes, withTriggerTime } from '../trigger-times.ts'
import { watchMembers, writtenHandler } from '../watch-members.ts'
import { WrittenObjects } from '../written-objects.ts'
import { decideSlices } from './decide-slices.ts'
import type { SliceActions } from './slice-actions.ts'
import { CONTROLLER } from './slice-labels.ts'
import { serviceOf, slicesManagedBy, slicesOf } from './slices-by-service.ts'

/** How soon to look again when the informer lags behind our own writes. */
const STALE_MS = 5
/** How soon to look again when a pod's node was not known. */
const NODE_RETRY_MS = 1_000

/** Runs until the signal aborts. */
export async function runEndpointSliceController(
  context: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  await new EndpointSliceController(context).run(signal)
}

class EndpointSliceController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #recorder: EventRecorder
  readonly #services: Informer<Service>
  readonly #pods: Informer<Pod>
  readonly #nodes: Informer<Node>
  readonly #slices: Informer<EndpointSlice>
  readonly #times = new TriggerTimes()
  readonly #written = new WrittenObjects<EndpointSlice>()

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#queue = new WorkQueue({ clock, baseDelayMs: 5 })
    this.#recorder = new EventRecorder({ client, component: 'endpoint-slice-controller', clock, log })
    this.#services = new Informer({ client, resource: services, clock, log })
    this.#pods = new Informer({ client, resource: pods, clock, log })
    this.#nodes = new Informer({ client, resource: nodes, clock, log })
    this.#slices = slicesManagedBy(CONTROLLER, context)
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#listen()
    const informers = [this.#services, this.#pods, this.#nodes, this.#slices]
    const reconcile = (key: string) => this.#reconcile(key)
    const { log } = this.#context
    await runController({ informers, queue: this.#queue, reconcile, concurrency: 5, signal, log })
  }

  #listen(): void {
    const add = (key: string) => this.#queue.add(key)
    watchMembers(this.#services, this.#pods, add)
    this.#slices.addHandler(writtenHandler(this.#written, serviceOf, add))
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const service = this.#services.lister.findByKey(key)
    if (!service) {
      this.#times.forget(key)
      this.#written.forget(key)
      return undefined
    }
    if (service.spec.type === 'ExternalName' || !service.spec.selector) return undefined
    if (this.#written.isAhead(key, this.#slices.lister)) return { requeueAfterMs: STALE_MS }
    const selected = this.#pods.lister.list(service.metadata.namespace).filter(pod => selects(service, pod))
    const slices = slicesOf(this.#slices, key).filter(({ metadata }) => !metadata.deletionTimestamp)
    const actions = decideSlices({
      service,
      pods: selected,
      slices,
      findNode: name => this.#nodes.lister.find(name),
    })
    await this.#perform(service, actions, this.#times.compute(service, selected))
    return actions.skipped.length > 0 ? { requeueAfterMs: NODE_RETRY_MS } : undefined
  }

  async #perform(service: Service, actions: SliceActions, time: string | undefined): Promise<void> {
    try {
      await this.#write(service, actions, time)
    } catch (error) {
      this.#written.forget(keyOf(service))
      // The namespace goes away: nothing can be made in it any more.
      if (isForbidden(error) || isNotFound(error)) return
      const { namespace, name } = service.metadata
      const words = `Error updating Endpoint Slices for Service ${namespace}/${name}: ${(error as Error).message}`
      this.#recorder.event(service, 'Warning', 'FailedToUpdateEndpointSlices', words)
      throw error
    }
  }

  async #write(service: Service, { create, update, remove }: SliceActions, time: string | undefined) {
    const { client } = this.#context
    const owner = keyOf(service)
    const timed = <T extends { metadata: { annotations?: Record<string, string> } }>(slice: T): T => ({
      ...slice,
      metadata: { ...slice.metadata, annotations: withTriggerTime(slice.metadata.annotations, time) },
    })
    for (const slice of create) this.#written.wrote(owner, await client.create(endpointSlices, timed(slice)))
    for (const slice of update) this.#written.wrote(owner, await client.update(endpointSlices, timed(slice)))
    for (const slice of remove) {
      const { name, namespace } = slice.metadata
      await client.delete(endpointSlices, { name, namespace: namespace! }).catch(error => {
        if (!isNotFound(error)) throw error
      })
      this.#written.removed(owner, slice)
    }
  }
}
