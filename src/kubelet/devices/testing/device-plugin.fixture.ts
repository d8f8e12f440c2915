// A device plugin as its author would write it: it serves its devices at a socket in the kubelet's folder, and registers
// at the kubelet's own.
import { join } from 'node:path'
import { AsyncQueue } from '../../../base/async-queue.ts'
import { GrpcClient } from '../../../base/grpc/grpc-client.ts'
import { type GrpcServer, serveGrpc } from '../../../base/grpc/serve-grpc.ts'
import {
  type ContainerAllocation,
  DEVICE_PLUGIN_VERSION,
  type DevicePluginOptions,
  devicePluginService,
  deviceRegistrationService,
  type PluginDevice,
} from '../device-plugin-api.ts'
import { KUBELET_SOCKET } from '../device-registration.ts'

export interface DevicePluginSettings {
  options?: Partial<DevicePluginOptions>
  /** What a container that is given these devices needs. Throws when they cannot be had. */
  allocate?: (deviceIds: readonly string[]) => Partial<ContainerAllocation>
  /** Those it would rather give. */
  prefers?: (available: readonly string[]) => readonly string[]
}

export class DevicePluginFixture {
  readonly resource: string
  /** Devices of each Allocate and of each PreStartContainer, as 'allocate a,b'. */
  readonly calls: string[] = []
  readonly #folder: string
  readonly #settings: DevicePluginSettings
  readonly #lists = new Set<AsyncQueue<object>>()
  #devices: PluginDevice[]
  #server: GrpcServer | undefined

  constructor(
    folder: string,
    resource: string,
    deviceIds: readonly string[],
    settings: DevicePluginSettings = {},
  ) {
    this.#folder = folder
    this.resource = resource
    this.#settings = settings
    this.#devices = deviceIds.map(id => ({ id, health: 'Healthy' }))
  }

  get #endpoint(): string {
    return `${this.resource.replace('/', '-')}.sock`
  }

  async start(): Promise<void> {
    const { allocate = () => ({}), prefers = () => [], options = {} } = this.#settings
    const handlers = {
      GetDevicePluginOptions: async () => options,
      ListAndWatch: () => this.#follow(),
      GetPreferredAllocation: async (asked: { containerRequests: { available: string[] }[] }) => ({
        containerResponses: asked.containerRequests.map(one => ({ deviceIds: prefers(one.available) })),
      }),
      Allocate: async ({ containerRequests }: { containerRequests: { deviceIds: string[] }[] }) => {
        for (const { deviceIds } of containerRequests) this.calls.push(`allocate ${deviceIds}`)
        return { containerResponses: containerRequests.map(({ deviceIds }) => allocate(deviceIds)) }
      },
      PreStartContainer: async ({ deviceIds }: { deviceIds: string[] }) => {
        this.calls.push(`preStart ${deviceIds}`)
        return {}
      },
    }
    const services = [{ service: devicePluginService, handlers }]
    this.#server = await serveGrpc(join(this.#folder, this.#endpoint), services)
  }

  /** Rejects with what the kubelet says. */
  async register(version = DEVICE_PLUGIN_VERSION): Promise<void> {
    const kubelet = new GrpcClient(join(this.#folder, KUBELET_SOCKET), deviceRegistrationService)
    try {
      const { resource: resourceName } = this
      await kubelet.call(
        'Register',
        { version, endpoint: this.#endpoint, resourceName },
        { timeoutMs: 10_000 },
      )
    } finally {
      kubelet.close()
    }
  }

  setHealth(id: string, health: 'Healthy' | 'Unhealthy'): void {
    this.#devices = this.#devices.map(device => (device.id === id ? { ...device, health } : device))
    for (const list of this.#lists) list.push({ devices: this.#devices })
  }

  stop(): void {
    for (const list of this.#lists) list.close()
    this.#lists.clear()
    this.#server?.close()
    this.#server = undefined
  }

  #follow(): AsyncIterable<object> {
    const list = new AsyncQueue<object>()
    list.push({ devices: this.#devices })
    this.#lists.add(list)
    return list
  }
}
