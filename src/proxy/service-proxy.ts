// The service proxy of one node: watches Services and EndpointSlices and keeps the kernel's maps in step with them.
// Nothing of a connection passes through here. Upstream: kube-proxy in nftables mode.
import { endpointSlices, nodes, services } from '../api/resources.ts'
import type { Node, Service } from '../api/types/core-v1.ts'
import type { EndpointSlice } from '../api/types/discovery-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { Informer } from '../client/informer.ts'
import { keyOf } from '../client/lister.ts'
import { countLocalEndpoints, type Place } from './choose-endpoints.ts'
import { compileService } from './compile-service.ts'
import { type HealthCheck, HealthCheckServers } from './health-check-servers.ts'
import { ProxyHealth } from './proxy-health.ts'
import { ProxyMetrics } from './proxy-metrics.ts'
import type { IsKnown } from './route-sweeper.ts'
import { type Changes, netChanges, RuleTable } from './rule-table.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'
const BY_SERVICE = 'service'
/** Between tries after the kernel refused something. */
const RETRY_MS = 1_000
/** Between looks through all connections, while endpoints keep going. */
const SWEEP_EVERY_MS = 200

/** Where elements go; the kernel, or a test's list. */
export interface RuleTarget {
  install(elements: ReturnType<RuleTable['elements']>): Promise<void>
  apply(changes: Changes): Promise<void>
  /** Connections or remembered clients may lead to endpoints that are gone. */
  readonly hasStaleRoutes: boolean
  forgetStaleRoutes(isKnown: IsKnown): void
}

export interface ProxyOptions {
  client: Client
  clock: Clock
  log: Log
  place: Place
  target: RuleTarget
}

export class ServiceProxy {
  readonly health: ProxyHealth
  readonly metrics = new ProxyMetrics()
  readonly #options: ProxyOptions
  readonly #services: Informer<Service>
  readonly #slices: Informer<EndpointSlice>
  readonly #node: Informer<Node>
  readonly #rules = new RuleTable()
  readonly #healthChecks: HealthCheckServers
  readonly #dirty = new Set<string>()
  #wake = Promise.withResolvers<void>()
  #sweepWanted = Promise.withResolvers<void>()

  constructor(options: ProxyOptions) {
    this.#options = options
    const { client, clock, log, place } = options
    this.health = new ProxyHealth(clock)
    this.#healthChecks = new HealthCheckServers(log, () => this.health.isHealthy)
    const fieldSelector = `metadata.name=${place.nodeName}`
    this.#node = new Informer({ client, resource: nodes, clock, log, fieldSelector })
    this.#services = new Informer({ client, resource: services, clock, log })
    this.#slices = new Informer({
      client,
      resource: endpointSlices,
      clock,
      log,
      labelSelector: SERVICE_NAME,
      indexers: { [BY_SERVICE]: slice => [serviceKeyOf(slice)] },
    })
    this.#listen()
  }

  #listen(): void {
    const service = (one: Service) => this.#touch('service', keyOf(one))
    this.#services.addHandler({ add: service, update: (_, one) => service(one), delete: service })
    const slice = (one: EndpointSlice) => this.#touch('endpoint', serviceKeyOf(one))
    this.#slices.addHandler({
      add: slice,
      update: (old, one) => {
        // It may have been another Service's.
        if (serviceKeyOf(old) !== serviceKeyOf(one)) slice(old)
        slice(one)
      },
      delete: slice,
    })
    const saw = (node: Node) => this.health.sawNode(node)
    this.#node.addHandler({ add: saw, update: (_, node) => saw(node) })
  }

  #touch(what: 'service' | 'endpoint', key: string): void {
    this.#dirty.add(key)
    this.health.queued()
    this.metrics.queued(what, this.#options.clock.now())
    this.#wake.resolve()
  }

  /** Until the signal aborts; the rules stay in place then. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#services, this.#slices, this.#node]
    const running = Promise.all(informers.map(informer => informer.run(signal)))
    const aborted = new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([Promise.all([this.#services.synced, this.#slices.synced]), aborted])
    const sweeping = this.#sweep(signal, aborted)
    let state: 'unknown' | 'refused' | 'installed' = 'unknown'
    while (!signal.aborted) {
      try {
        await this.#step(state)
        state = 'installed'
        if (this.#options.target.hasStaleRoutes) this.#sweepWanted.resolve()
        await Promise.race([this.#wake.promise, aborted])
      } catch (error) {
        this.metrics.failed()
        this.#options.log.error(
          { error },
          'the service rules could not be changed; installing all of them anew',
        )
        // Refused as a whole once more: then each Service by itself, so that one cannot keep out the others.
        state = state === 'unknown' ? 'refused' : 'unknown'
        await this.#options.clock.sleep(RETRY_MS, signal).catch(() => {})
      }
    }
    this.#healthChecks.close()
    await Promise.all([running, sweeping])
  }

  /** At once when first wanted, and not too often after that. */
  async #sweep(signal: AbortSignal, aborted: Promise<void>): Promise<void> {
    const { target, clock, log } = this.#options
    for (;;) {
      await Promise.race([this.#sweepWanted.promise, aborted])
      if (signal.aborted) return
      this.#sweepWanted = Promise.withResolvers()
      try {
        target.forgetStaleRoutes(this.#isKnown())
      } catch (error) {
        log.error({ error }, 'connections to endpoints that are gone could not be forgotten')
      }
      await clock.sleep(SWEEP_EVERY_MS, signal).catch(() => {})
    }
  }

  /** Brings the kernel up to date with everything known by now. */
  async #step(state: 'unknown' | 'refused' | 'installed'): Promise<void> {
    const startedAt = this.#options.clock.now()
    this.#wake = Promise.withResolvers()
    const keys = [...this.#dirty]
    this.#dirty.clear()
    const steps = keys.map(key => this.#rules.set(key, this.#compile(key)))
    if (state === 'refused') await this.#installOneByOne()
    else if (state === 'installed') await this.#options.target.apply(netChanges(steps))
    else await this.#options.target.install(this.#rules.elements())
    this.metrics.synced(startedAt, this.#options.clock.now())
    if (this.#dirty.size === 0) this.health.updated()
  }

  async #installOneByOne(): Promise<void> {
    const { target, log } = this.#options
    await target.install([])
    for (const owner of this.#rules.owners()) {
      const changes = { remove: [], add: this.#rules.elementsOf(owner) }
      await target.apply(changes).catch(error => {
        log.error({ error, service: owner }, 'the rules of a Service were refused; it does not work')
      })
    }
  }

  /** Looked up when first asked. */
  #isKnown(): IsKnown {
    let known: Set<string> | undefined
    return ip => {
      known ??= new Set(
        this.#slices.lister.list().flatMap(slice => (slice.endpoints ?? []).flatMap(one => one.addresses)),
      )
      return known.has(ip)
    }
  }

  #compile(key: string) {
    const service = this.#services.lister.findByKey(key)
    const slices = this.#slices.lister.byIndex(BY_SERVICE, key)
    this.#healthChecks.set(key, service && this.#healthCheckOf(service, slices))
    return service ? compileService(service, slices, this.#options.place) : []
  }

  #healthCheckOf(service: Service, slices: readonly EndpointSlice[]): HealthCheck | undefined {
    const { metadata, spec } = service
    if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local' || !spec.healthCheckNodePort)
      return undefined
    const localEndpoints = countLocalEndpoints(service, slices, this.#options.place)
    const { name, namespace = '' } = metadata
    return { port: spec.healthCheckNodePort, namespace, name, localEndpoints }
  }
}

const serviceKeyOf = ({ metadata }: EndpointSlice) =>
  `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`
