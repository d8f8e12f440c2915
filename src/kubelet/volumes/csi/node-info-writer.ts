// Writes what node-info.ts says to the Node and the CSINode. Upstream: nodeinfomanager.
import { isDeepStrictEqual } from 'node:util'
import type { Draft } from '../../../api/kube-object.ts'
import { csiNodes, nodes } from '../../../api/resources.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../../api/status-error.ts'
import type { CSINode, CSINodeDriver } from '../../../api/types/storage-v1.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import type { Client } from '../../../client/client.ts'
import type { CsiNodeInfo } from './csi-api.ts'
import { driversWith, MIGRATED_PLUGINS, nodeWithDriver, nodeWithoutDriver } from './node-info.ts'

const MERGE = 'application/merge-patch+json'
const ATTEMPTS = 4
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 30_000

export class NodeInfoWriter {
  readonly #client: Client
  readonly #nodeName: string

  constructor(client: Client, nodeName: string) {
    this.#client = client
    this.#nodeName = nodeName
  }

  /** At the kubelet's start; until it is done or the signal aborts. */
  async announce(clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
    for (let delay = FIRST_RETRY_MS; !signal.aborted; delay = Math.min(delay * 2, MAX_RETRY_MS)) {
      try {
        await this.ensureCsiNode()
        return
      } catch (error) {
        log.warn({ error }, 'the CSINode could not be made; trying again')
        await clock.sleep(delay, signal).catch(() => {})
      }
    }
  }

  /** There is a CSINode for every node, with or without drivers. */
  async ensureCsiNode(): Promise<CSINode> {
    const name = this.#nodeName
    const found = await this.#client.get(csiNodes, { name }).catch(error => {
      if (isNotFound(error)) return undefined
      throw error
    })
    if (found) return found
    const { uid } = (await this.#client.get(nodes, { name })).metadata
    const draft = {
      metadata: {
        name,
        annotations: { 'storage.alpha.kubernetes.io/migrated-plugins': MIGRATED_PLUGINS },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
      },
      spec: { drivers: [] },
    }
    try {
      return await this.#client.create(csiNodes, draft as unknown as Draft<CSINode>)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      return this.#client.get(csiNodes, { name })
    }
  }

  async install(driver: string, info: CsiNodeInfo): Promise<void> {
    if (!info.nodeId) throw new Error('error adding CSI driver node info: driverNodeID must not be empty')
    const failed = (what: string, error: unknown) =>
      new Error(`error updating ${what} object with CSI driver node info: ${(error as Error).message}`)
    await this.#patchNode(node => nodeWithDriver(node, driver, info)).catch(error => {
      throw failed('Node', error)
    })
    await this.#writeDrivers(drivers => driversWith(drivers, driver, info)).catch(error => {
      throw failed('CSINode', error)
    })
  }

  async uninstall(driver: string): Promise<void> {
    await this.#writeDrivers(drivers => drivers.filter(({ name }) => name !== driver))
    await this.#patchNode(node => nodeWithoutDriver(node, driver))
  }

  async #patchNode(
    change: (node: Parameters<typeof nodeWithDriver>[0]) => object | undefined,
  ): Promise<void> {
    const name = this.#nodeName
    const patch = change(await this.#client.get(nodes, { name }))
    if (patch) await this.#client.patch(nodes, { name }, MERGE, patch)
  }

  async #writeDrivers(change: (drivers: readonly CSINodeDriver[]) => CSINodeDriver[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const found = await this.ensureCsiNode()
      const drivers = change(found.spec.drivers)
      if (isDeepStrictEqual(drivers, found.spec.drivers)) return
      try {
        await this.#client.update(csiNodes, { ...found, spec: { ...found.spec, drivers } })
        return
      } catch (error) {
        if (!isConflict(error) || attempt === ATTEMPTS) throw error
      }
    }
  }
}
