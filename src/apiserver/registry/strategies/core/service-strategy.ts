// Upstream: pkg/registry/core/service/strategy.go and storage/alloc.go, for one IPv4 family.
import type { KubeObject } from '../../../../api/kube-object.ts'
import { services } from '../../../../api/resources.ts'
import { type FieldErrorLike, internalError, invalid } from '../../../../api/status-error.ts'
import type { Service, ServicePort } from '../../../../api/types/core-v1.ts'
import type { Undo, WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'
import { holdingsOfService, type ServiceAddresses } from './service-addresses.ts'

const asService = (object: KubeObject) => object as unknown as Service

export class ServiceStrategy extends DefaultStrategy {
  readonly #addresses: ServiceAddresses
  readonly #loaded: () => Promise<void>

  /** `loaded` resolves when the addresses know every stored Service. */
  constructor(addresses: ServiceAddresses, loaded: () => Promise<void>) {
    super(services)
    this.#addresses = addresses
    this.#loaded = loaded
  }

  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    super.prepareForCreate(object, context)
    const service = asService(object)
    service.status = { loadBalancer: {} }
    syncClusterIps(service)
  }

  override prepareForUpdate(object: KubeObject, old: KubeObject, context: WriteContext): void {
    super.prepareForUpdate(object, old, context)
    const service = asService(object)
    const before = asService(old)
    dropWhatTypeDoesNotUse(service, before)
    keepAllocated(service, before)
    syncClusterIps(service, before)
  }

  async beginCreate(object: KubeObject, context: WriteContext): Promise<Undo> {
    await this.#loaded()
    return this.#allocate(asService(object), context)
  }

  async beginUpdate(object: KubeObject, _old: KubeObject, context: WriteContext): Promise<Undo> {
    await this.#loaded()
    return this.#allocate(asService(object), context)
  }

  afterDelete({ metadata }: KubeObject): void {
    this.#addresses.set(keyOf(metadata), undefined)
  }

  /** Fills in what is wanted and not there, and takes it. Throws Invalid for what others hold. */
  #allocate(service: Service, { dryRun }: WriteContext): Undo {
    const key = keyOf(service.metadata)
    const before = this.#addresses.holdingsOf(key)
    this.#allocateIp(service, key)
    this.#allocatePorts(service, key)
    this.#addresses.set(key, holdingsOfService(service))
    const undo = () => this.#addresses.set(key, before)
    if (dryRun) undo()
    return undo
  }

  #allocateIp(service: Service, key: string): void {
    const { spec } = service
    if (spec.type === 'ExternalName') return
    spec.ipFamilyPolicy ??= 'SingleStack'
    if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4']
    if (spec.clusterIP === 'None') return
    if (!spec.clusterIP) {
      const ip = this.#addresses.freeIp()
      if (!ip) throw internalError(new Error('failed to allocate a serviceIP: range is full'))
      spec.clusterIP = ip
      spec.clusterIPs = [ip]
      return
    }
    const why = this.#whyNotIp(spec.clusterIP, key)
    if (why)
      throw this.#invalid(
        service,
        'spec.clusterIPs',
        JSON.stringify(spec.clusterIPs ?? [spec.clusterIP]),
        `failed to allocate IP ${spec.clusterIP}: ${why}`,
      )
  }

  #whyNotIp(ip: string, key: string): string | undefined {
    if (!this.#addresses.contains(ip)) {
      return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${this.#addresses.cidr}`
    }
    return this.#addresses.isIpTaken(ip, key) ? 'provided IP is already allocated' : undefined
  }

  #allocatePorts(service: Service, key: string): void {
    const { spec } = service
    const needsNodePorts =
      spec.type === 'NodePort' ||
      (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
    const used = new Set<number>()
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (port.nodePort) this.#checkPort(service, port, index, key)
      else if (needsNodePorts) port.nodePort = this.#sharedOrFreePort(spec.ports ?? [], port, used)
      if (port.nodePort) used.add(port.nodePort)
    }
    if (spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local' && !spec.healthCheckNodePort) {
      spec.healthCheckNodePort = this.#addresses.freePort(used) as number
    }
  }

  #checkPort(service: Service, { nodePort = 0 }: ServicePort, index: number, key: string): void {
    const field = `spec.ports[${index}].nodePort`
    if (!this.#addresses.isPortInRange(nodePort)) {
      const why = `provided port is not in the valid range. The range of valid ports is ${this.#addresses.portRange}`
      throw this.#invalid(service, field, String(nodePort), why)
    }
    if (this.#addresses.isPortTaken(nodePort, key)) {
      throw this.#invalid(service, field, String(nodePort), 'provided port is already allocated')
    }
  }

  /** The same port over TCP and UDP (DNS) gets one node port. */
  #sharedOrFreePort(all: readonly ServicePort[], port: ServicePort, used: ReadonlySet<number>): number {
    const twin = all.find(
      other => other.port === port.port && other.protocol !== port.protocol && other.nodePort,
    )
    const found = twin?.nodePort ?? this.#addresses.freePort(used)
    if (found === undefined) throw internalError(new Error('failed to allocate a nodePort: range is full'))
    return found
  }

  #invalid(service: Service, field: string, value: string, why: string) {
    const error: FieldErrorLike = {
      reason: 'FieldValueInvalid',
      field,
      message: `Invalid value: ${value}: ${why}`,
    }
    return invalid(services, service.metadata.name, [error])
  }
}

function keyOf({ namespace, name }: { namespace?: string; name: string }): string {
  return `${namespace}/${name}`
}

/** clusterIP and clusterIPs say the same; old clients write only the first. Upstream: normalizeClusterIPs. */
function syncClusterIps({ spec }: Service, old?: Service): void {
  const changed = spec.clusterIP !== old?.spec.clusterIP
  if (
    spec.clusterIP &&
    (!spec.clusterIPs?.length || (changed && old && spec.clusterIPs[0] === old.spec.clusterIPs?.[0]))
  ) {
    spec.clusterIPs = [spec.clusterIP]
  } else if (!spec.clusterIP && spec.clusterIPs?.length) {
    if (old?.spec.clusterIP) delete spec.clusterIPs
    else spec.clusterIP = spec.clusterIPs[0] as string
  }
}

/** An update that leaves them out keeps what was allocated. Upstream: patchAllocatedValues. */
function keepAllocated({ spec }: Service, { spec: before }: Service): void {
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP
    if (!spec.clusterIPs?.length && before.clusterIPs && spec.clusterIP === before.clusterIP) {
      spec.clusterIPs = [...before.clusterIPs]
    }
    spec.ipFamilies ??= before.ipFamilies && [...before.ipFamilies]
    spec.ipFamilyPolicy ??= before.ipFamilyPolicy
  }
  if (!usesNodePorts(spec.type) || !usesNodePorts(before.type)) return
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue
    const same = before.ports?.find(other => other.port === port.port && other.protocol === port.protocol)
    if (same?.nodePort) port.nodePort = same.nodePort
  }
  if (!spec.healthCheckNodePort && before.healthCheckNodePort && spec.externalTrafficPolicy === 'Local') {
    spec.healthCheckNodePort = before.healthCheckNodePort
  }
}

const usesNodePorts = (type: string | undefined) => type === 'NodePort' || type === 'LoadBalancer'

/** A change of type alone need not mention what the new type has no use for. Upstream: dropTypeDependentFields. */
function dropWhatTypeDoesNotUse({ spec }: Service, { spec: before }: Service): void {
  if (spec.type === before.type) return
  if (usesNodePorts(before.type) && !usesNodePorts(spec.type)) {
    const old = new Set((before.ports ?? []).map(port => port.nodePort))
    for (const port of spec.ports ?? []) if (old.has(port.nodePort)) delete port.nodePort
  }
  if (spec.type !== 'ExternalName') {
    if (before.type === 'ExternalName' && spec.externalName === before.externalName) delete spec.externalName
    return
  }
  if (spec.clusterIP === before.clusterIP) {
    delete spec.clusterIP
    delete spec.clusterIPs
    delete spec.ipFamilies
    delete spec.ipFamilyPolicy
  }
}
