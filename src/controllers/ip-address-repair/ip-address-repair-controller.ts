// Makes IPAddress objects of Services again when somebody removed or changed them, and removes those that stand for
// nobody. Upstream: pkg/registry/core/service/ipallocator/controller/repairip.go, which runs in the API server.
import type { Draft, Resource } from '../../api/kube-object.ts'
import { ipAddresses, serviceCIDRs, services } from '../../api/resources.ts'
import { isAlreadyExists, isNotFound } from '../../api/status-error.ts'
import type { Service } from '../../api/types/core-v1.ts'
import type { IPAddress, ServiceCIDR } from '../../api/types/networking-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import type { EventsV1Recorder } from '../../client/events/events-v1-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import {
  type AddressRepair,
  addressFor,
  decideServiceAddresses,
  judgeAddress,
  parentOf,
} from './decide-ip-address-repair.ts'

export interface IpAddressRepairContext extends ControllerContext {
  recorder: EventsV1Recorder
}

/** Keys of the queue: 'namespace/name' of a Service, or an address; the latter has no slash. */
export class IpAddressRepairController {
  readonly #context: IpAddressRepairContext
  readonly #queue: WorkQueue<string>
  readonly #services: Informer<Service>
  readonly #addresses: Informer<IPAddress>
  readonly #cidrs: Informer<ServiceCIDR>

  constructor(context: IpAddressRepairContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#queue = new WorkQueue({ clock })
    this.#services = new Informer({ client, resource: services, clock, log })
    this.#addresses = new Informer({ client, resource: ipAddresses, clock, log })
    this.#cidrs = new Informer({ client, resource: serviceCIDRs, clock, log })
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const touch = (service: Service) => this.#queue.add(keyOf(service))
    this.#services.addHandler({ add: touch, update: (_, service) => touch(service) })
    this.#addresses.addHandler({
      add: address => this.#addressChanged(address),
      update: (_, address) => this.#addressChanged(address),
      delete: address => this.#addressChanged(address),
    })
    const informers = [this.#services, this.#addresses, this.#cidrs]
    const reconcile = (key: string) =>
      key.includes('/') ? this.#reconcileService(key) : this.#reconcileAddress(key)
    const { log } = this.#context
    await runController({ informers, queue: this.#queue, reconcile, signal, log })
  }

  #addressChanged(address: IPAddress): void {
    this.#queue.add(address.metadata.name)
    const ip = address.metadata.name
    const holders = this.#services.lister.list().filter(({ spec }) => spec.clusterIPs?.includes(ip))
    const parent = parentOf(address)
    for (const key of new Set([...holders.map(keyOf), ...(parent ? [parent] : [])])) this.#queue.add(key)
  }

  async #reconcileService(key: string): Promise<void> {
    const seen = this.#services.lister.findByKey(key)
    if (!seen || this.#repairsFor(seen, ip => this.#addresses.lister.find(ip)).length === 0) return
    // The three watches do not run in step: what is wrong must be so in what is stored now.
    const service = await this.#stored(services, seen.metadata)
    if (!service) return
    const now = new Map<string, IPAddress | undefined>()
    for (const ip of service.spec.clusterIPs ?? []) now.set(ip, await this.#stored(ipAddresses, { name: ip }))
    for (const repair of this.#repairsFor(service, ip => now.get(ip))) await this.#perform(service, repair)
  }

  #repairsFor(service: Service, address: (ip: string) => IPAddress | undefined): AddressRepair[] {
    const find = (key: string) => this.#services.lister.findByKey(key)
    return decideServiceAddresses(service, {
      address,
      service: find,
      cidrs: this.#cidrs.lister.list(),
    })
  }

  async #perform(service: Service, { ip, object, report }: AddressRepair): Promise<void> {
    const { client, recorder } = this.#context
    if (report)
      recorder.event(service, undefined, 'Warning', report.reason, 'ClusterIPAllocation', report.note)
    if (object === 'keep') return
    if (object === 'recreate') await this.#remove(ip)
    try {
      await client.create(ipAddresses, addressFor(ip, service) as Draft<IPAddress>)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  async #reconcileAddress(ip: string): Promise<Requeue | undefined> {
    if (!this.#addresses.lister.find(ip)) return undefined
    const address = await this.#stored(ipAddresses, { name: ip })
    if (!address) return undefined
    const { namespace = '', name = '' } = address.spec?.parentRef ?? {}
    const service =
      parentOf(address) === undefined ? undefined : await this.#stored(services, { namespace, name })
    const verdict = judgeAddress(address, service, this.#context.clock.now())
    if (verdict === 'keep') return undefined
    if ('waitMs' in verdict) return { requeueAfterMs: verdict.waitMs }
    const { reason, note } = verdict
    this.#context.recorder.event(address, undefined, 'Warning', reason, 'IPAddressAllocation', note)
    await this.#remove(ip)
    return undefined
  }

  async #remove(ip: string): Promise<void> {
    try {
      await this.#context.client.delete(ipAddresses, { name: ip })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  async #stored<T>(
    resource: Resource<T>,
    { namespace, name }: { namespace?: string | undefined; name: string },
  ): Promise<T | undefined> {
    try {
      return await this.#context.client.get(resource, { name, ...(namespace && { namespace }) })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}
