// The devices that plugins offer on this node, and which containers have which of them.
// Upstream: kubelet/cm/devicemanager ManagerImpl.
import { isSidecar } from '../../api/pod/sidecar.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Container, Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import { rpcErrorText } from '../../base/grpc/grpc-error.ts'
import type { Log } from '../../base/log.ts'
import { chooseDevices, withPreferred } from './choose-devices.ts'
import type { DevicePlugin } from './device-plugin.ts'
import { HEALTHY, type PluginDevice } from './device-plugin-api.ts'
import { type GivenDevices, idsOf, readDeviceRecords, writeDeviceRecords } from './given-devices.ts'

/** So long the node still counts the devices of a plugin that is gone, as unhealthy ones. */
export const GRACE_MS = 5 * 60_000

const NO_NODE = -1

export interface NodeDevicesParts {
  /** Where it is kept what was given. */
  file: string
  clock: Clock
  log: Log
  /** The pods that may have devices, by uid; undefined while not all are known. */
  active: () => ReadonlySet<string> | undefined
  /** What the node has to offer is another. */
  offerChanged: () => void
  /** The health of devices that these pods have is another. */
  healthChanged: (podUids: readonly string[]) => void
}

interface Offer {
  devices: ReadonlyMap<string, PluginDevice>
  /** Undefined: it has not registered since the kubelet has started, or is gone. */
  plugin?: DevicePlugin
  /** Since when there is no plugin. Epoch milliseconds. */
  goneAt: number
}

export interface DeviceAmounts {
  /** By resource. */
  capacity: Record<string, string>
  allocatable: Record<string, string>
}

type Reusable = Map<string, Set<string>>

export class NodeDevices {
  readonly #parts: NodeDevicesParts
  readonly #offers = new Map<string, Offer>()
  /** Once offered, and now gone for good: the node shows 0 of them. */
  readonly #withdrawn = new Set<string>()
  #given: GivenDevices[] = []
  /** One allocation after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: NodeDevicesParts) {
    this.#parts = parts
  }

  /** What an earlier run has given, and which resources it had: nothing of them is there until plugins register. */
  recover(): void {
    const { file, clock, log } = this.#parts
    try {
      const { given, registered } = readDeviceRecords(file)
      this.#given = given
      for (const resource of Object.keys(registered)) {
        this.#offers.set(resource, { devices: new Map(), goneAt: clock.now() })
      }
    } catch (error) {
      log.error({ error, file }, 'it is not known any more which devices containers have')
    }
  }

  // Plugins

  /** Until the plugin is gone; never rejects. One that offers the same resource takes the place of the one before. */
  async offered(resource: string, plugin: DevicePlugin): Promise<void> {
    const before = this.#offers.get(resource)
    this.#offers.set(resource, { devices: before?.devices ?? new Map(), plugin, goneAt: 0 })
    this.#withdrawn.delete(resource)
    before?.plugin?.close()
    await plugin.follow(devices => this.#listed(resource, plugin, devices))
    const offer = this.#offers.get(resource)
    if (offer?.plugin !== plugin) return
    this.#offers.set(resource, { devices: offer.devices, goneAt: this.#parts.clock.now() })
    this.#parts.offerChanged()
  }

  /** The plugin of a resource is told to be gone. */
  withdraw(resource: string): void {
    this.#offers.get(resource)?.plugin?.close()
  }

  #listed(resource: string, plugin: DevicePlugin, list: readonly PluginDevice[]): void {
    const offer = this.#offers.get(resource)
    if (offer?.plugin !== plugin) return
    const devices = new Map(list.map(device => [device.id, device]))
    const changed = list.filter(({ id, health }) => offer.devices.get(id)?.health !== health)
    this.#offers.set(resource, { ...offer, devices })
    this.#write()
    this.#parts.offerChanged()
    const ids = new Set(changed.map(({ id }) => id))
    const owners = this.#given.filter(one => one.resource === resource && idsOf(one).some(id => ids.has(id)))
    if (owners.length > 0) this.#parts.healthChanged([...new Set(owners.map(({ podUid }) => podUid))])
  }

  /** For the node's status. Those of plugins that are gone for long are 0. */
  amounts(): DeviceAmounts {
    const now = this.#parts.clock.now()
    for (const [resource, { plugin, goneAt }] of this.#offers) {
      if (plugin || now - goneAt < GRACE_MS) continue
      this.#offers.delete(resource)
      this.#withdrawn.add(resource)
      this.#write()
    }
    const none = [...this.#withdrawn].map(resource => [resource, '0'] as const)
    const all = [...this.#offers].map(([resource, { devices }]) => [resource, String(devices.size)] as const)
    const healthy = [...this.#offers.keys()].map(name => [name, String(this.#healthy(name)!.size)] as const)
    return {
      capacity: Object.fromEntries([...none, ...all]),
      allocatable: Object.fromEntries([...none, ...healthy]),
    }
  }

  /** The kubelet ends: plugins are heard no more, what was given stays given. */
  close(): void {
    const plugins = [...this.#offers.values()].map(({ plugin }) => plugin)
    this.#offers.clear()
    for (const plugin of plugins) plugin?.close()
  }

  /** Undefined: nobody has registered it. */
  #healthy(resource: string): Set<string> | undefined {
    const offer = this.#offers.get(resource)
    if (!offer) return undefined
    const devices = offer.plugin ? [...offer.devices.values()] : []
    return new Set(devices.filter(({ health }) => health === HEALTHY).map(({ id }) => id))
  }

  // Containers

  /** Gives each container of the pod what it asks for. Rejects with the text that the pod shows. */
  async allocate(pod: Pod): Promise<void> {
    const { initContainers = [], containers } = pod.spec
    if (![...initContainers, ...containers].some(one => this.#wanted(one).length > 0)) return
    await this.#inTurn(async () => {
      const reusable: Reusable = new Map()
      for (const container of initContainers) {
        await this.#allocateFor(pod, container, reusable)
        // What a sidecar has, it keeps; others are done when the next container begins.
        this.#mark(pod, container, reusable, !isSidecar(container))
      }
      for (const container of containers) {
        await this.#allocateFor(pod, container, reusable)
        this.#mark(pod, container, reusable, false)
      }
    })
  }

  /**
   * What the container was given, for each of its resources. The plugins are told that it is about to start. Rejects
   * with the text that the pod shows.
   */
  async forStart(pod: Pod, container: Container): Promise<GivenDevices[]> {
    const wanted = this.#wanted(container)
    for (const { resource } of wanted) await this.#preStart(pod, container, resource)
    // Nothing is known of a pod that was there before its record was lost.
    const lacks = ({ resource }: { resource: string }) => !this.#givenTo(pod, container, resource)
    if (wanted.some(lacks)) await this.#inTurn(() => this.#allocateFor(pod, container, new Map()))
    return this.givenTo(pod.metadata.uid, container.name)
  }

  givenTo(podUid: string, container: string): GivenDevices[] {
    return this.#given.filter(one => one.podUid === podUid && one.container === container)
  }

  /** Whether it asks for something that plugins give. */
  concerns(container: Container): boolean {
    return this.#wanted(container).length > 0
  }

  /** The device as its plugin has listed it last. */
  device(resource: string, id: string): PluginDevice | undefined {
    return this.#offers.get(resource)?.devices.get(id)
  }

  /** Devices that may be given or are given, by resource. */
  allocatableDevices(): ReadonlyMap<string, readonly PluginDevice[]> {
    const healthy = (resource: string) =>
      [...this.#healthy(resource)!].map(id => this.#offers.get(resource)!.devices.get(id)!)
    return new Map([...this.#offers.keys()].map(resource => [resource, healthy(resource)]))
  }

  /** Takes back what pods had that are over. */
  dropInactive(): void {
    const active = this.#parts.active()
    if (active) this.#given = this.#given.filter(({ podUid }) => active.has(podUid))
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(act)
    this.#turn = mine.catch(() => {})
    return mine
  }

  /** Nobody gets more of such a thing than there is: requests are limits. */
  #wanted(container: Container): { resource: string; required: number }[] {
    return Object.entries(container.resources?.limits ?? {})
      .filter(([name]) => this.#offers.has(name) || this.#given.some(({ resource }) => resource === name))
      .map(([resource, amount]) => ({ resource, required: Quantity.parse(amount).value() }))
      .filter(({ required }) => required > 0)
  }

  #mark(pod: Pod, container: Container, reusable: Reusable, isReusable: boolean): void {
    for (const given of this.givenTo(pod.metadata.uid, container.name)) {
      const ids = reusable.get(given.resource) ?? new Set()
      for (const id of idsOf(given))
        if (isReusable) ids.add(id)
        else ids.delete(id)
      reusable.set(given.resource, ids)
    }
  }

  async #allocateFor(pod: Pod, container: Container, reusable: Reusable): Promise<void> {
    for (const { resource, required } of this.#wanted(container)) {
      this.dropInactive()
      await this.#allocateOne(pod, container, resource, required, reusable.get(resource) ?? new Set())
    }
  }

  async #allocateOne(
    pod: Pod,
    container: Container,
    resource: string,
    required: number,
    reusable: ReadonlySet<string>,
  ): Promise<void> {
    const before = this.#givenTo(pod, container, resource)
    const choice = chooseDevices({
      pod: pod.metadata.uid,
      container: container.name,
      resource,
      required,
      given: before && new Set(idsOf(before)),
      reusable,
      healthy: this.#healthy(resource),
      inUse: new Set(this.#given.filter(one => one.resource === resource).flatMap(idsOf)),
    })
    if (!choice) return
    const plugin = this.#offers.get(resource)?.plugin
    if (!plugin) throw new Error(`unknown Device Plugin ${resource}`)
    const { chosen, available, more } = choice
    const asks = more > 0 && plugin.options.getPreferredAllocationAvailable
    const preferred = asks
      ? await plugin
          .prefers([...chosen, ...available].sort(), chosen, required)
          .catch(failed('GetPreferredAllocation'))
      : []
    const ids = withPreferred(choice, preferred)
    const allocation = await plugin.allocate(ids).catch(error => {
      throw new Error(rpcErrorText(error))
    })
    if (!allocation)
      throw new Error(
        'no containers return in allocation response &AllocateResponse{ContainerResponses:[]*ContainerAllocateResponse{},}',
      )
    this.#given.push({
      podUid: pod.metadata.uid,
      container: container.name,
      resource,
      byNode: this.#byNode(resource, ids),
      allocation,
    })
    this.#write()
  }

  #byNode(resource: string, ids: readonly string[]): Record<string, string[]> {
    const byNode: Record<string, string[]> = {}
    for (const id of ids) {
      const nodes = this.device(resource, id)?.topology?.nodes ?? []
      for (const node of nodes.length > 0 ? nodes.map(one => one.id) : [NO_NODE])
        byNode[node] = [...(byNode[node] ?? []), id]
    }
    return byNode
  }

  async #preStart(pod: Pod, container: Container, resource: string): Promise<void> {
    const plugin = this.#offers.get(resource)?.plugin
    if (!plugin?.options.preStartRequired) return
    const given = this.#givenTo(pod, container, resource)
    if (!given) {
      const whose = `pod ${pod.metadata.uid}, container ${container.name}, resource ${resource}`
      throw new Error(`no devices found allocated in local cache for ${whose}`)
    }
    await plugin.preStart(idsOf(given)).catch(failed('PreStartContainer'))
  }

  #givenTo(pod: Pod, container: Container, resource: string): GivenDevices | undefined {
    return this.givenTo(pod.metadata.uid, container.name).find(one => one.resource === resource)
  }

  #write(): void {
    const { file, log } = this.#parts
    const names = [...this.#offers.keys()]
    const registered = Object.fromEntries(names.map(name => [name, [...this.#healthy(name)!]]))
    try {
      writeDeviceRecords(file, { given: this.#given, registered })
    } catch (error) {
      log.error({ error, file }, 'it could not be written down which devices containers have')
    }
  }
}

const failed =
  (call: string) =>
  (error: unknown): never => {
    throw new Error(`device plugin ${call} rpc failed with err: ${rpcErrorText(error)}`)
  }
