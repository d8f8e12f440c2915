// The CSI drivers that have registered with the kubelet. Upstream: pkg/volume/csi RegistrationHandler, DriversStore.
import type { Log } from '../../../base/log.ts'
import type { PluginHandler, PluginInfo } from '../../plugins/plugin-handler.ts'
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

type Version = readonly number[]

export class CsiDrivers implements PluginHandler {
  readonly #drivers = new Map<string, RegisteredDriver>()
  readonly #nodeInfo: NodeInfoWriter
  readonly #log: Log
  readonly #registered: (name: string) => void
  /** What a driver has the node show is written one after the other. */
  #written: Promise<unknown> = Promise.resolve()

  /** `registered` is called when a driver can be used from now on. */
  constructor(nodeInfo: NodeInfoWriter, log: Log, registered: (name: string) => void) {
    this.#nodeInfo = nodeInfo
    this.#log = log
    this.#registered = registered
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
    try {
      const node = await client.nodeGetInfo()
      await this.#write(() => this.#nodeInfo.install(name, node))
    } catch (error) {
      client.close()
      throw error
    }
    this.#drivers.get(name)?.client.close()
    this.#drivers.set(name, { name, endpoint, version, client, pathSeen })
    this.#log.info({ driver: name }, 'a CSI driver has registered')
    this.#registered(name)
  }

  deregister(name: string, endpoint: string): void {
    const known = this.#drivers.get(name)
    if (known?.endpoint !== endpoint) return
    this.#drivers.delete(name)
    known.client.close()
    this.#log.info({ driver: name }, 'a CSI driver is gone')
    this.#write(() => this.#nodeInfo.uninstall(name)).catch(error =>
      this.#log.warn({ driver: name, error }, 'a CSI driver could not be taken off the node'),
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
