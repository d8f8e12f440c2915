// The CSI drivers that have registered with the kubelet. Upstream: pkg/volume/csi RegistrationHandler, DriversStore.
import type { PluginHandler, PluginInfo } from '../../plugins/plugin-handler.ts'
import { type AllocatableParts, followAllocatable } from './allocatable-updates.ts'
import { CsiClient } from './csi-client.ts'
import type { NodeInfoWriter } from './node-info-writer.ts'

export interface RegisteredDriver {
  name: string
  endpoint: string
  version: Version
  client: CsiClient
  /** How it calls a path below the kubelet's folder. */
  pathSeen: (path: string) => string
}

export interface CsiDriversParts extends AllocatableParts {
  nodeInfo: NodeInfoWriter
  /** A driver can be used from now on. */
  registered: (name: string) => void
  /** Ends when the kubelet does. */
  signal: AbortSignal
}

interface Known extends RegisteredDriver {
  gone: AbortController
}

type Version = readonly number[]

export class CsiDrivers implements PluginHandler {
  readonly #drivers = new Map<string, Known>()
  readonly #parts: CsiDriversParts
  /** What a driver has the node show is written one after the other. */
  #written: Promise<unknown> = Promise.resolve()

  constructor(parts: CsiDriversParts) {
    this.#parts = parts
  }

  /** Throws when it has not registered, or is gone. */
  get(name: string): RegisteredDriver {
    const found = this.#drivers.get(name)
    if (!found) throw new Error(`driver name ${name} not found in the list of registered CSI drivers`)
    return found
  }

  validate(info: PluginInfo): void {
    try {
      this.#checkVersion(info, 'ValidatePlugin')
    } catch (error) {
      const { message } = error as Error
      throw new Error(
        `validation failed for CSI Driver ${info.name} at endpoint ${info.endpoint}: ${message}`,
      )
    }
  }

  async register(info: PluginInfo): Promise<void> {
    const { name, endpoint, seenByPlugin: pathSeen } = info
    const version = this.#checkVersion(info, 'RegisterPlugin')
    const client = new CsiClient(endpoint)
    const { log, registered, signal } = this.#parts
    try {
      await this.#install(name, client, signal)
    } catch (error) {
      client.close()
      throw error
    }
    this.#close(this.#drivers.get(name))
    const gone = new AbortController()
    this.#drivers.set(name, { name, endpoint, version, client, pathSeen, gone })
    log.info({ driver: name }, 'a CSI driver has registered')
    registered(name)
    const either = AbortSignal.any([gone.signal, signal])
    void followAllocatable(name, () => this.#install(name, client, either), this.#parts, either)
  }

  /** Not when it is gone meanwhile. */
  async #install(name: string, client: CsiClient, gone: AbortSignal): Promise<void> {
    const node = await client.nodeGetInfo()
    if (!gone.aborted) await this.#write(() => this.#parts.nodeInfo.install(name, node))
  }

  #close(driver: Known | undefined): void {
    driver?.gone.abort()
    driver?.client.close()
  }

  deregister(name: string, endpoint: string): void {
    const known = this.#drivers.get(name)
    if (known?.endpoint !== endpoint) return
    this.#drivers.delete(name)
    this.#close(known)
    const { log, nodeInfo } = this.#parts
    log.info({ driver: name }, 'a CSI driver is gone')
    this.#write(() => nodeInfo.uninstall(name)).catch(error =>
      log.warn({ driver: name, error }, 'a CSI driver could not be taken off the node'),
    )
  }

  #write(action: () => Promise<void>): Promise<void> {
    const next = this.#written.then(action)
    this.#written = next.catch(() => {})
    return next
  }

  #checkVersion({ name, endpoint, supportedVersions }: PluginInfo, caller: string): Version {
    const failed = (why: string) =>
      new Error(`kubernetes.io/csi: ${caller} for CSI driver "${name}" failed. ${why}`)
    if (supportedVersions.length === 0) throw failed('Plugin returned an empty list for supported versions')
    const quoted = `[${supportedVersions.map(version => `"${version}"`).join(' ')}]`
    let highest: Version
    try {
      highest = highestVersion(supportedVersions)
    } catch (error) {
      throw failed(`None of the versions specified ${quoted} are supported. err=${(error as Error).message}`)
    }
    const known = this.#drivers.get(name)
    if (known && known.endpoint !== endpoint && isLess(highest, known.version))
      throw failed(
        `Another driver with the same name is already registered with a higher supported version: "${known.version.join('.')}"`,
      )
    return highest
  }
}

/** Of 1.x; 2.x may be anything. Throws as upstream's highestSupportedVersion. */
export function highestVersion(texts: readonly string[]): Version {
  const versions = texts
    .filter(text => /^v?\d+(\.\d+)+/.test(text))
    .map(text => /\d+(\.\d+)+/.exec(text)![0].split('.').map(Number))
    .filter(([major]) => major! <= 1)
    .sort((a, b) => (isLess(a, b) ? 1 : -1))
  const [highest] = versions
  if (!highest)
    throw new Error(
      `could not find a highest supported version from versions ([${texts.join(' ')}]) reported by this driver: <nil>`,
    )
  if (highest[0] !== 1)
    throw new Error(`highest supported version reported by driver is ${highest.join('.')}, must be v1.x`)
  return highest
}

function isLess(a: Version, b: Version): boolean {
  const length = Math.max(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
