// The service proxy of one node: watches Services and EndpointSlices and keeps the kernel's maps in step with them.
// Nothing of a connection passes through here. Upstream: kube-proxy in nftables mode.
import { endpointSlices, services } from '../api/resources.ts'
import type { Service } from '../api/types/core-v1.ts'
import type { EndpointSlice } from '../api/types/discovery-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { Informer } from '../client/informer.ts'
import { keyOf } from '../client/lister.ts'
import type { Place } from './choose-endpoints.ts'
import { compileService } from './compile-service.ts'
import type { IsKnown } from './route-sweeper.ts'
import { type Changes, netChanges, RuleTable } from './rule-table.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'
const BY_SERVICE = 'service'
/** Between tries after the kernel refused something. */
const RETRY_MS = 1_000

/** Where elements go; the kernel, or a test's list. */
export interface RuleTarget {
  install(elements: ReturnType<RuleTable['elements']>, isKnown: IsKnown): Promise<void>
  apply(changes: Changes, isKnown: IsKnown): Promise<void>
}

export interface ProxyOptions {
  client: Client
  clock: Clock
  log: Log
  place: Place
  target: RuleTarget
}

export class ServiceProxy {
  readonly #options: ProxyOptions
  readonly #services: Informer<Service>
  readonly #slices: Informer<EndpointSlice>
  readonly #rules = new RuleTable()
  readonly #dirty = new Set<string>()
  #wake = Promise.withResolvers<void>()

  constructor(options: ProxyOptions) {
    this.#options = options
    const { client, clock, log } = options
    this.#services = new Informer({ client, resource: services, clock, log })
    this.#slices = new Informer({
      client,
      resource: endpointSlices,
      clock,
      log,
      labelSelector: SERVICE_NAME,
      indexers: { [BY_SERVICE]: slice => [serviceKeyOf(slice)] },
    })
    this.#services.addHandler({
      add: service => this.#touch(keyOf(service)),
      update: (_, service) => this.#touch(keyOf(service)),
      delete: service => this.#touch(keyOf(service)),
    })
    this.#slices.addHandler({
      add: slice => this.#touch(serviceKeyOf(slice)),
      update: (old, slice) => {
        this.#touch(serviceKeyOf(old))
        this.#touch(serviceKeyOf(slice))
      },
      delete: slice => this.#touch(serviceKeyOf(slice)),
    })
  }

  #touch(key: string): void {
    this.#dirty.add(key)
    this.#wake.resolve()
  }

  /** Until the signal aborts; the rules stay in place then. */
  async run(signal: AbortSignal): Promise<void> {
    const running = Promise.all([this.#services.run(signal), this.#slices.run(signal)])
    const aborted = new Promise<void>(resolve =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    )
    await Promise.race([Promise.all([this.#services.synced, this.#slices.synced]), aborted])
    let installed = false
    while (!signal.aborted) {
      try {
        installed = await this.#step(installed)
        await Promise.race([this.#wake.promise, aborted])
      } catch (error) {
        this.#options.log.error(
          { error },
          'the service rules could not be changed; installing all of them anew',
        )
        installed = false
        await this.#options.clock.sleep(RETRY_MS, signal).catch(() => {})
      }
    }
    await running
  }

  /** Brings the kernel up to date with everything known by now. */
  async #step(installed: boolean): Promise<true> {
    this.#wake = Promise.withResolvers()
    const keys = [...this.#dirty]
    this.#dirty.clear()
    const steps = keys.map(key => this.#rules.set(key, this.#compile(key)))
    if (installed) await this.#options.target.apply(netChanges(steps), this.#isKnown())
    else await this.#options.target.install(this.#rules.elements(), this.#isKnown())
    return true
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
    if (!service) return []
    return compileService(service, this.#slices.lister.byIndex(BY_SERVICE, key), this.#options.place)
  }
}

const serviceKeyOf = ({ metadata }: EndpointSlice) =>
  `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`
