// A device plugin that has registered: what it can do, and the calls it answers. Upstream: devicemanager/endpoint.go.
import { GrpcClient } from '../../base/grpc/grpc-client.ts'
import {
  type ContainerAllocation,
  type DevicePluginOptions,
  devicePluginService,
  type PluginDevice,
} from './device-plugin-api.ts'

const DIAL_MS = 10_000
const PRE_START_MS = 30_000

export class DevicePlugin {
  readonly options: DevicePluginOptions
  readonly #client: GrpcClient
  readonly #ending = new AbortController()

  private constructor(client: GrpcClient, options: DevicePluginOptions) {
    this.#client = client
    this.options = options
  }

  /** Rejects when nobody answers at the socket. */
  static async connect(socket: string): Promise<DevicePlugin> {
    const client = new GrpcClient(socket, devicePluginService)
    try {
      await client.connected(DIAL_MS)
      const options = await client.call<DevicePluginOptions>(
        'GetDevicePluginOptions',
        {},
        { timeoutMs: DIAL_MS },
      )
      return new DevicePlugin(client, options)
    } catch (error) {
      client.close()
      throw error
    }
  }

  /** Calls `changed` with each list of devices. Resolves when the plugin is gone or was closed; never rejects. */
  async follow(changed: (devices: PluginDevice[]) => void): Promise<void> {
    const lists = this.#client.stream<{ devices: PluginDevice[] }>('ListAndWatch', {}, this.#ending.signal)
    try {
      for await (const { devices } of lists) changed(devices)
    } catch {
      // How it went away makes no difference.
    } finally {
      this.close()
    }
  }

  /** Undefined when it answers for no container. */
  async allocate(deviceIds: readonly string[]): Promise<ContainerAllocation | undefined> {
    const request = { containerRequests: [{ deviceIds }] }
    const { containerResponses } = await this.#client.call<{ containerResponses: ContainerAllocation[] }>(
      'Allocate',
      request,
    )
    return containerResponses[0]
  }

  /** Those it would rather give; none when it has no wish. */
  async prefers(
    available: readonly string[],
    mustInclude: readonly string[],
    size: number,
  ): Promise<readonly string[]> {
    const request = { containerRequests: [{ available, mustInclude, size }] }
    const { containerResponses } = await this.#client.call<{ containerResponses: { deviceIds: string[] }[] }>(
      'GetPreferredAllocation',
      request,
    )
    return containerResponses[0]?.deviceIds ?? []
  }

  async preStart(deviceIds: readonly string[]): Promise<void> {
    await this.#client.call('PreStartContainer', { deviceIds }, { timeoutMs: PRE_START_MS })
  }

  close(): void {
    if (this.#ending.signal.aborted) return
    this.#ending.abort()
    this.#client.close()
  }
}
