// Keeps the finalizer and the Ready condition of ServiceCIDRs. Upstream: pkg/controller/servicecidrs.
import { ipAddresses, serviceCIDRs } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import type { IPAddress, ServiceCIDR } from '../../api/types/networking-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { type CidrAction, contains, decideServiceCidr, FINALIZER } from './decide-service-cidr.ts'

const BASE_DELAY_MS = 50

export class ServiceCidrsController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #cidrs: Informer<ServiceCIDR>
  readonly #addresses: Informer<IPAddress>

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#queue = new WorkQueue({ clock, baseDelayMs: BASE_DELAY_MS })
    this.#cidrs = new Informer({ client, resource: serviceCIDRs, clock, log })
    this.#addresses = new Informer({ client, resource: ipAddresses, clock, log })
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const all = () => this.#queueThose(() => true)
    this.#cidrs.addHandler({ add: all, update: all, delete: all })
    this.#addresses.addHandler({
      delete: ({ metadata }) =>
        this.#queueThose(
          cidr => cidr.metadata.deletionTimestamp !== undefined && contains(cidr, metadata.name),
        ),
    })
    const informers = [this.#cidrs, this.#addresses]
    const reconcile = (name: string) => this.#reconcile(name)
    const { log } = this.#context
    await runController({ informers, queue: this.#queue, reconcile, signal, log })
  }

  /** Ranges may overlap: a change of one may free another. */
  #queueThose(wanted: (cidr: ServiceCIDR) => boolean): void {
    for (const cidr of this.#cidrs.lister.list()) if (wanted(cidr)) this.#queue.add(cidr.metadata.name)
  }

  async #reconcile(name: string): Promise<void> {
    const cidr = this.#cidrs.lister.find(name)
    if (!cidr) return
    const others = this.#cidrs.lister.list().filter(other => other !== cidr)
    for (const action of decideServiceCidr(cidr, others, this.#addresses.lister.list()))
      await this.#perform(cidr, action)
  }

  async #perform({ metadata }: ServiceCIDR, action: CidrAction): Promise<void> {
    const { client, clock } = this.#context
    const { name, uid } = metadata
    const merge = (document: object, subresource?: string) =>
      client.patch(serviceCIDRs, { name }, 'application/merge-patch+json', document, {
        ...(subresource && { subresource }),
      })
    try {
      if (action.do === 'setReady') {
        const { status, reason, message } = action
        const lastTransitionTime = formatTime(clock.now())
        const conditions = [{ type: 'Ready', status, reason, message, lastTransitionTime }]
        await merge({ metadata: { uid }, status: { conditions } }, 'status')
        return
      }
      const kept = (metadata.finalizers ?? []).filter(finalizer => finalizer !== FINALIZER)
      const finalizers = action.do === 'addFinalizer' ? [...kept, FINALIZER] : kept
      await merge({ metadata: { uid, resourceVersion: metadata.resourceVersion, finalizers } })
    } catch (error) {
      // Gone, or changed meanwhile: the newer version comes by itself.
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }
}
