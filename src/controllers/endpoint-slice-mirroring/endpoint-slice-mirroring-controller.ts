// Shows Endpoints that users write, for Services without a selector, as EndpointSlices.
// Upstream: pkg/controller/endpointslicemirroring.
import { endpointSlices, endpoints, services } from '../../api/resources.ts'
import { isForbidden, isNotFound } from '../../api/status-error.ts'
import type { Endpoints, Service } from '../../api/types/core-v1.ts'
import type { EndpointSlice } from '../../api/types/discovery-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { serviceOf, slicesManagedBy, slicesOf } from '../endpoint-slice/slices-by-service.ts'
import { writtenHandler } from '../watch-members.ts'
import { WrittenObjects } from '../written-objects.ts'
import { CONTROLLER, decideMirror, type MirrorActions, MOST_MIRRORED } from './decide-mirror.ts'

const STALE_MS = 5
const WORKERS = 5
const SKIP = 'endpointslice.kubernetes.io/skip-mirror'
const LEADER = 'control-plane.alpha.kubernetes.io/leader'

const isMirrored = ({ metadata }: Endpoints) =>
  metadata.labels?.[SKIP] !== 'true' && metadata.annotations?.[LEADER] === undefined

export class EndpointSliceMirroringController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #recorder: EventRecorder
  readonly #services: Informer<Service>
  readonly #endpoints: Informer<Endpoints>
  readonly #slices: Informer<EndpointSlice>
  readonly #written = new WrittenObjects<EndpointSlice>()

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#queue = new WorkQueue({ clock, baseDelayMs: 5 })
    const component = 'endpoint-slice-mirroring-controller'
    this.#recorder = new EventRecorder({ client, component, clock, log })
    this.#services = new Informer({ client, resource: services, clock, log })
    this.#endpoints = new Informer({ client, resource: endpoints, clock, log })
    this.#slices = slicesManagedBy(CONTROLLER, context)
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#listen()
    const informers = [this.#services, this.#endpoints, this.#slices]
    const reconcile = (key: string) => this.#reconcile(key)
    const { log } = this.#context
    await runController({ informers, queue: this.#queue, reconcile, concurrency: WORKERS, signal, log })
  }

  #listen(): void {
    const add = (key: string) => this.#queue.add(key)
    const addSelectorless = (service: Service) => service.spec.selector || add(keyOf(service))
    this.#services.addHandler({
      add: addSelectorless,
      update: (old, service) => {
        if (!old.spec.selector !== !service.spec.selector) add(keyOf(service))
      },
      delete: addSelectorless,
    })
    this.#endpoints.addHandler({
      add: object => isMirrored(object) && add(keyOf(object)),
      update: (old, object) => {
        if (isMirrored(old) || isMirrored(object)) add(keyOf(object))
      },
      delete: object => isMirrored(object) && add(keyOf(object)),
    })
    this.#slices.addHandler(writtenHandler(this.#written, serviceOf, add))
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const object = this.#endpoints.lister.findByKey(key)
    const service = this.#services.lister.findByKey(key)
    const slices = slicesOf(this.#slices, key)
    if (!object || !isMirrored(object) || !service || service.spec.selector) {
      this.#written.forget(key)
      for (const slice of slices) await this.#remove(slice)
      return undefined
    }
    if (this.#written.isAhead(key, this.#slices.lister)) return { requeueAfterMs: STALE_MS }
    const actions = decideMirror(object, slices)
    this.#report(object, actions)
    await this.#write(key, actions)
    return undefined
  }

  #report(object: Endpoints, { invalid, skipped }: MirrorActions): void {
    if (invalid > 0) {
      const words = `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`
      this.#recorder.event(object, 'Warning', 'InvalidIPAddress', words)
    }
    if (skipped > invalid) {
      const words = `A max of ${MOST_MIRRORED} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`
      this.#recorder.event(object, 'Warning', 'TooManyAddressesToMirror', words)
    }
  }

  async #write(key: string, { create, update, remove }: MirrorActions): Promise<void> {
    const { client } = this.#context
    try {
      for (const slice of create) this.#written.wrote(key, await client.create(endpointSlices, slice))
      for (const slice of update) this.#written.wrote(key, await client.update(endpointSlices, slice))
      for (const slice of remove) {
        await this.#remove(slice)
        this.#written.removed(key, slice)
      }
    } catch (error) {
      this.#written.forget(key)
      // The namespace goes away: nothing can be made in it any more.
      if (isForbidden(error) || isNotFound(error)) return
      throw error
    }
  }

  async #remove({ metadata }: EndpointSlice): Promise<void> {
    const { name, namespace } = metadata
    await this.#context.client.delete(endpointSlices, { name, namespace: namespace! }).catch(error => {
      if (!isNotFound(error)) throw error
    })
  }
}
