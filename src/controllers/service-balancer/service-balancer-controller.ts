// Gives Services of type LoadBalancer the addresses of the ready nodes, and takes them back.
// Upstream: cloud-provider/controllers/service.
import { nodes, services } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { Node, Service } from '../../api/types/core-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { type BalancerAction, decideBalancer, FINALIZER, nodeAddresses } from './decide-balancer.ts'

const BASE_DELAY_MS = 50

export class ServiceBalancerController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #recorder: EventRecorder
  readonly #services: Informer<Service>
  readonly #nodes: Informer<Node>
  #addresses = ''

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#queue = new WorkQueue({ clock, baseDelayMs: BASE_DELAY_MS })
    this.#recorder = new EventRecorder({ client, component: 'service-controller', clock, log })
    this.#services = new Informer({ client, resource: services, clock, log })
    this.#nodes = new Informer({ client, resource: nodes, clock, log })
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const add = (service: Service) => this.#queue.add(keyOf(service))
    this.#services.addHandler({
      add,
      update: (old, service) => {
        add(service)
        if (hasAddresses(old) && !hasAddresses(service)) this.#queueBalancers()
      },
      delete: service => {
        if (hasAddresses(service)) this.#queueBalancers()
      },
    })
    const renew = () => this.#nodesChanged()
    this.#nodes.addHandler({ add: renew, update: renew, delete: renew })
    const informers = [this.#services, this.#nodes]
    const reconcile = (key: string) => this.#reconcile(key)
    const { log } = this.#context
    await runController({ informers, queue: this.#queue, reconcile, signal, log })
  }

  /** Node objects change every few seconds; their addresses hardly ever. */
  #nodesChanged(): void {
    const addresses = nodeAddresses(this.#nodes.lister.list()).join()
    if (addresses === this.#addresses) return
    this.#addresses = addresses
    this.#queueBalancers()
  }

  /** Addresses came or went, or a port that another one may wait for became free. */
  #queueBalancers(): void {
    for (const service of this.#services.lister.list())
      if (service.spec.type === 'LoadBalancer') this.#queue.add(keyOf(service))
  }

  async #reconcile(key: string): Promise<void> {
    const service = this.#services.lister.findByKey(key)
    if (!service) return
    const everyService = this.#services.lister.list()
    const actions = decideBalancer(service, nodeAddresses(this.#nodes.lister.list()), everyService)
    if (actions.some(action => action.do === 'addFinalizer'))
      this.#recorder.event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer')
    for (const action of actions) await this.#perform(service, action)
    if (actions.some(action => action.do === 'setAddresses' && action.ips.length > 0))
      this.#recorder.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
  }

  async #perform(service: Service, action: BalancerAction): Promise<void> {
    if (action.do === 'report') {
      const words = `Error syncing load balancer: ${action.message}`
      this.#recorder.event(service, 'Warning', 'SyncLoadBalancerFailed', words)
      return
    }
    const { client } = this.#context
    const { name, namespace, uid } = service.metadata
    const key = { name, namespace: namespace! }
    // Finalizers go the same way: the account may write nothing but the status.
    const merge = (document: object) =>
      client.patch(services, key, 'application/merge-patch+json', document, { subresource: 'status' })
    try {
      if (action.do === 'setAddresses') {
        const ingress = action.ips.map(ip => ({ ip, ipMode: 'VIP' }))
        const status = { loadBalancer: { ingress: ingress.length > 0 ? ingress : null } }
        await merge({ metadata: { uid }, status })
        return
      }
      const others = (service.metadata.finalizers ?? []).filter(finalizer => finalizer !== FINALIZER)
      const finalizers = action.do === 'addFinalizer' ? [...others, FINALIZER] : others
      const { resourceVersion } = service.metadata
      await merge({ metadata: { uid, resourceVersion, finalizers } })
    } catch (error) {
      // Gone, or changed meanwhile: the newer version comes by itself.
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }
}

const hasAddresses = ({ status }: Service) => (status.loadBalancer?.ingress?.length ?? 0) > 0
