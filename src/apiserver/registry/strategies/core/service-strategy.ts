// Services take addresses and node ports when they are written and give them back when they go.
// Upstream: pkg/registry/core/service/strategy.go and storage/alloc.go, for one IPv4 family.
import type { KubeObject } from '../../../../api/kube-object.ts'
import { services } from '../../../../api/resources.ts'
import { type FieldErrorLike, internalError, invalid } from '../../../../api/status-error.ts'
import type { Service, ServicePort } from '../../../../api/types/core-v1.ts'
import { invalidValue } from '../../../../api/validation/field-error.ts'
import { serviceWarnings } from '../../../../api/validation/service/service-warnings.ts'
import type { Finish, WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'
import type { IpAddressObjects } from './ip-address-objects.ts'
import { holdingsOfService, type ServiceAddresses } from './service-addresses.ts'
import { fillFamilies } from './service-families.ts'
import {
  dropWhatTypeDoesNotUse,
  keepAllocated,
  normalizeClusterIps,
  usesClusterIp,
  usesHealthCheck,
  usesNodePorts,
} from './service-update.ts'

export interface ServiceStrategyParts {
  addresses: ServiceAddresses
  objects: IpAddressObjects
  /** Resolves when the addresses know every stored Service. */
  loaded(): Promise<void>
  /** The Service as it is stored now. */
  find(key: string): Service | undefined
}

const asService = (object: KubeObject) => object as unknown as Service

export class ServiceStrategy extends DefaultStrategy {
  readonly #parts: ServiceStrategyParts

  constructor(parts: ServiceStrategyParts) {
    super(services)
    this.#parts = parts
  }

  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    const service = asService(object)
    service.status = { loadBalancer: {} }
    normalizeClusterIps(service)
  }

  warningsOnCreate(object: KubeObject): readonly string[] {
    return serviceWarnings(asService(object))
  }

  override prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
    super.prepareForUpdate(object, old, context)
    const [service, before] = [asService(object), asService(old)]
    normalizeClusterIps(service, before)
    dropWhatTypeDoesNotUse(service, before)
    keepAllocated(service, before)
    for (const text of serviceWarnings(service)) context.warn(text)
  }

  beginCreate(object: KubeObject, context: WriteContext): Promise<Finish> {
    return this.#begin(asService(object), undefined, context)
  }

  beginUpdate(object: KubeObject, old: KubeObject, context: WriteContext): Promise<Finish> {
    return this.#begin(asService(object), asService(old), context)
  }

  async afterDelete({ metadata }: KubeObject): Promise<void> {
    const key = keyOf(metadata)
    const { ips } = this.#parts.addresses.storedBy(key)
    this.#settle(key)
    await this.#parts.objects.removeUnused(ips, key)
  }

  /** Fills in what is wanted and not there, and holds it until the write is over. Throws Invalid for what others hold. */
  async #begin(service: Service, old: Service | undefined, { dryRun }: WriteContext): Promise<Finish> {
    const { addresses, objects, loaded } = this.#parts
    await loaded()
    const errors = fillFamilies(service, old)
    if (errors.length > 0) throw invalid(services, service.metadata.name, errors)
    const key = keyOf(service.metadata)
    // An address that is there is not changed: validation says so.
    if (!old || !usesClusterIp(old.spec) || !old.spec.clusterIP) this.#allocateIp(service, key)
    this.#allocatePorts(service, key)
    if (dryRun) return () => {}
    const claim = addresses.claim(key, holdingsOfService(service))
    const before = addresses.storedBy(key).ips
    const made = Promise.all([...claim.holdings.ips].map(ip => before.has(ip) || objects.ensure(ip, key)))
    made.catch(() => {})
    return async () => {
      this.#settle(key)
      try {
        await made
        // Again: an earlier object of the same address may have been on its way out.
        await Promise.all([...addresses.storedBy(key).ips].map(ip => objects.ensure(ip, key)))
        await objects.removeUnused([...claim.holdings.ips, ...before], key)
      } finally {
        addresses.release(claim)
      }
    }
  }

  #settle(key: string): void {
    const { addresses, find } = this.#parts
    const stored = find(key)
    addresses.settle(key, stored && holdingsOfService(stored))
  }

  #allocateIp(service: Service, key: string): void {
    const { addresses, objects } = this.#parts
    const { spec } = service
    if (!usesClusterIp(spec) || spec.clusterIPs?.[0] === 'None') return
    const wanted = spec.clusterIPs?.[0]
    if (!wanted) {
      const ip = addresses.freeIp(one => objects.isReserved(one, key))
      if (!ip) throw internalError(new Error('failed to allocate a serviceIP: range is full'))
      spec.clusterIP = ip
      spec.clusterIPs = [ip]
      return
    }
    const why = this.#whyNotIp(wanted, key)
    if (!why) return
    const detail = `failed to allocate IP ${wanted}: ${why}`
    throw this.#invalid(service, [invalidValue('spec.clusterIPs', spec.clusterIPs, detail)])
  }

  #whyNotIp(ip: string, key: string): string | undefined {
    const { addresses, objects } = this.#parts
    if (!addresses.contains(ip))
      return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${addresses.cidrs}`
    const isTaken = addresses.isTaken(ip, key) || objects.isReserved(ip, key)
    return isTaken ? 'provided IP is already allocated' : undefined
  }

  #allocatePorts(service: Service, key: string): void {
    const { spec } = service
    const used = new Set<number>()
    const wanted = usesNodePorts(spec)
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (port.nodePort) this.#checkPort(service, port.nodePort, `spec.ports[${index}].nodePort`, key)
      if (port.nodePort) used.add(port.nodePort)
    }
    for (const port of wanted ? (spec.ports ?? []) : []) {
      port.nodePort ||= this.#sharedOrFreePort(spec.ports ?? [], port, used)
      used.add(port.nodePort)
    }
    if (usesHealthCheck(spec)) this.#allocateHealthCheck(service, used, key)
  }

  #allocateHealthCheck({ spec }: Service, used: ReadonlySet<number>, key: string): void {
    const { addresses } = this.#parts
    const wanted = spec.healthCheckNodePort
    if (!wanted) {
      const port = addresses.freePort(used)
      if (!port) throw internalError(new Error('failed to allocate a HealthCheck NodePort: range is full'))
      spec.healthCheckNodePort = port
      return
    }
    const why = used.has(wanted) ? ALREADY_ALLOCATED : this.#whyNotPort(wanted, key)
    if (why)
      throw internalError(new Error(`failed to allocate requested HealthCheck NodePort ${wanted}: ${why}`))
  }

  #checkPort(service: Service, nodePort: number, field: string, key: string): void {
    const why = this.#whyNotPort(nodePort, key)
    if (why) throw this.#invalid(service, [invalidValue(field, nodePort, why)])
  }

  #whyNotPort(port: number, key: string): string | undefined {
    const { addresses } = this.#parts
    if (!addresses.isPortInRange(port))
      return `provided port is not in the valid range. The range of valid ports is ${addresses.portRange}`
    return addresses.isTaken(port, key) ? ALREADY_ALLOCATED : undefined
  }

  /** The same port over TCP and UDP (DNS) gets one node port. */
  #sharedOrFreePort(all: readonly ServicePort[], port: ServicePort, used: ReadonlySet<number>): number {
    const twin = all.find(
      other => other.port === port.port && other.protocol !== port.protocol && other.nodePort,
    )
    const found = twin?.nodePort ?? this.#parts.addresses.freePort(used)
    if (found === undefined) throw internalError(new Error('failed to allocate a nodePort: range is full'))
    return found
  }

  #invalid = (service: Service, errors: readonly FieldErrorLike[]) =>
    invalid(services, service.metadata.name, errors)
}

const ALREADY_ALLOCATED = 'provided port is already allocated'

export const keyOf = ({ namespace, name }: { namespace?: string; name: string }): string =>
  `${namespace}/${name}`
