// The DRA drivers of this node. What a driver offers is in ResourceSlices that it writes itself; when it is gone, nobody
// shall get devices that nobody can prepare: its slices are deleted. Upstream: cm/dra/plugin DRAPluginManager.
import { resourceSlices } from '../../api/resources.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import type { PluginHandler, PluginInfo } from '../plugins/plugin-handler.ts'
import { DRA_SERVICES } from './dra-api.ts'
import { DraDriver } from './dra-driver.ts'

/** So long a driver may take to come back, as when its Pod is replaced, before its slices go. */
export const WIPING_DELAY_MS = 30_000
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 300_000

export interface DraDriversParts {
  client: Client
  nodeName: string
  clock: Clock
  log: Log
}

export class DraDrivers implements PluginHandler {
  readonly #parts: DraDriversParts
  /** In the order in which they came. While a driver is replaced there are two. */
  readonly #drivers = new Map<string, DraDriver[]>()
  /** By driver: slices that are about to go. */
  readonly #wipes = new Map<string, AbortController>()
  readonly #ending = new AbortController()

  constructor(parts: DraDriversParts) {
    this.#parts = parts
  }

  /** No driver is there when the kubelet starts, and none may come. */
  start(): void {
    void this.#wipe(undefined, this.#ending.signal)
  }

  close(): void {
    this.#ending.abort()
    for (const driver of [...this.#drivers.values()].flat()) driver.close()
    this.#drivers.clear()
  }

  /** Throws with the text that the pod shows. The newest one is most likely the one that stays. */
  get(name: string): DraDriver {
    const driver = this.#drivers.get(name)?.at(-1)
    if (!driver) throw new Error(`DRA driver ${name} is not registered`)
    return driver
  }

  validate(info: PluginInfo): void {
    serviceOf(info)
  }

  async register(info: PluginInfo): Promise<void> {
    const { name, endpoint } = info
    const service = serviceOf(info)
    const instances = this.#drivers.get(name) ?? []
    if (instances.some(one => one.endpoint === endpoint))
      throw new Error(`endpoint ${endpoint} already registered for DRA driver plugin ${name}`)
    this.#drivers.set(name, [...instances, new DraDriver(endpoint, service)])
    this.#wipes.get(name)?.abort()
    this.#wipes.delete(name)
  }

  deregister(name: string, endpoint: string): void {
    const instances = this.#drivers.get(name) ?? []
    const left = instances.filter(one => one.endpoint !== endpoint)
    for (const driver of instances) if (!left.includes(driver)) driver.close()
    if (left.length > 0) {
      this.#drivers.set(name, left)
      return
    }
    this.#drivers.delete(name)
    const wipe = new AbortController()
    this.#wipes.get(name)?.abort()
    this.#wipes.set(name, wipe)
    void this.#wipeLater(name, AbortSignal.any([wipe.signal, this.#ending.signal]))
  }

  async #wipeLater(name: string, signal: AbortSignal): Promise<void> {
    await this.#parts.clock.sleep(WIPING_DELAY_MS, signal).catch(() => {})
    await this.#wipe(name, signal)
  }

  /** One driver's slices of this node, or all. Never rejects. */
  async #wipe(driver: string | undefined, signal: AbortSignal): Promise<void> {
    const { client, nodeName, clock, log } = this.#parts
    const fieldSelector = `spec.nodeName=${nodeName}${driver === undefined ? '' : `,spec.driver=${driver}`}`
    for (let delay = FIRST_RETRY_MS; !signal.aborted; delay = Math.min(delay * 2, MAX_RETRY_MS)) {
      try {
        await client.deleteCollection(resourceSlices, { fieldSelector })
        return
      } catch (error) {
        if (signal.aborted) return
        log.warn({ error, fieldSelector }, 'ResourceSlices could not be deleted; trying again')
        await clock.sleep(delay, signal).catch(() => {})
      }
    }
  }
}

/** The newest that both know. Throws with the text that the plugin is told. Upstream: validateSupportedServices. */
function serviceOf({ name, endpoint, supportedVersions }: PluginInfo): string {
  const invalid = (text: string) =>
    new Error(`invalid supported gRPC versions of DRA driver plugin ${name} at endpoint ${endpoint}: ${text}`)
  if (supportedVersions.length === 0)
    throw invalid('empty list of supported gRPC services (aka supported versions)')
  const known = Object.keys(DRA_SERVICES)
  const found = known.find(service => supportedVersions.includes(service))
  if (found) return found
  const quoted = supportedVersions.map(service => JSON.stringify(service)).join(' ')
  throw invalid(`none of the supported gRPC services is known to the kubelet: [${quoted}]`)
}
