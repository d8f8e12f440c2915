// A CSI driver whose volumes are folders (and files that are shown as block devices) of the machine. It registers with
// a kubelet as any driver does, and remembers what it was asked.
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { GrpcService } from '../../../../base/grpc/grpc-service.ts'
import { type GrpcHandlers, type GrpcServer, serveGrpc } from '../../../../base/grpc/serve-grpc.ts'
import { RegisteringPlugin } from '../../../plugins/testing/registering-plugin.fixture.ts'
import {
  type CsiNodeInfo,
  type ExpandVolume,
  identityService,
  type NodeRpc,
  nodeService,
  type PublishVolume,
  type StageVolume,
} from '../csi-api.ts'

/** How the driver puts a volume where it was asked to. */
export interface FolderMounts {
  bind(source: string, target: string): void
  unmount(target: string): void
  /** A device that shows the file. */
  device(file: string): string
  release(file: string): void
}

/** For kubelets without privileges: what is published is an empty folder. */
export const noMounts: FolderMounts = {
  bind() {},
  unmount() {},
  device: file => file,
  release() {},
}

export interface FolderDriverOptions {
  name: string
  /** DIR/kubelet */
  rootDir: string
  /** Where its volumes are. */
  folder: string
  mounts?: FolderMounts
  abilities?: readonly NodeRpc[]
  node?: Partial<CsiNodeInfo>
  /** A socket of its own, and how it tells the kubelet where that is. Default: where it registers. */
  endpoint?: { socket: string; told: string }
}

const DEFAULTS = {
  mounts: noMounts,
  abilities: ['STAGE_UNSTAGE_VOLUME', 'GET_VOLUME_STATS', 'EXPAND_VOLUME'] as readonly NodeRpc[],
  node: {} as Partial<CsiNodeInfo>,
}

type Asked = StageVolume & PublishVolume & ExpandVolume & { volumePath: string }

const BLOCK_BYTES = 8 << 20

export class FolderDriver {
  /** 'NodeStageVolume handle', in their order. */
  readonly calls: string[] = []
  /** The last request of each method. */
  readonly last = new Map<string, Asked>()
  /** What it answers instead, by method. */
  readonly refusals = new Map<string, Error>()
  readonly #options: FolderDriverOptions & typeof DEFAULTS
  readonly #plugin: RegisteringPlugin
  readonly #services: readonly { service: GrpcService; handlers: GrpcHandlers }[]
  #server: GrpcServer | undefined

  constructor(options: FolderDriverOptions) {
    this.#options = { ...DEFAULTS, ...options }
    const { name, rootDir, endpoint } = options
    this.#services = [
      { service: identityService, handlers: this.#identity() },
      { service: nodeService, handlers: this.#node() },
    ]
    const info = { type: 'CSIPlugin', name, ...(endpoint && { endpoint: endpoint.told }) }
    this.#plugin = new RegisteringPlugin(rootDir, info, endpoint ? [] : this.#services)
  }

  async start(): Promise<void> {
    const { endpoint } = this.#options
    if (endpoint) this.#server = await serveGrpc(endpoint.socket, this.#services)
    await this.#plugin.start()
  }

  /** What it has mounted stays. */
  stop(): void {
    this.#plugin.stop()
    this.#server?.close()
  }

  #identity(): GrpcHandlers {
    return {
      GetPluginInfo: async () => ({ name: this.#options.name, vendorVersion: '1' }),
      Probe: async () => ({ ready: { value: true } }),
    }
  }

  #node(): GrpcHandlers {
    const { abilities, node, name } = this.#options
    const asked = (method: string, act: (request: Asked) => void, answer: object = {}) => ({
      [method]: async (request: Asked) => {
        this.calls.push(`${method} ${request.volumeId}`)
        this.last.set(method, request)
        const refusal = this.refusals.get(method)
        if (refusal) throw refusal
        act(request)
        return answer
      },
    })
    const bytes = { unit: 'BYTES', total: 1_000, used: 400, available: 600 }
    const inodes = { unit: 'INODES', total: 100, used: 4, available: 96 }
    return {
      NodeGetInfo: async () => ({ nodeId: `${name}-node`, maxVolumesPerNode: 0, ...node }),
      NodeGetCapabilities: async () => ({ capabilities: abilities.map(type => ({ rpc: { type } })) }),
      ...asked('NodeStageVolume', request => this.#stage(request)),
      ...asked('NodeUnstageVolume', request => this.#unstage(request)),
      ...asked('NodePublishVolume', request => this.#publish(request)),
      ...asked('NodeUnpublishVolume', request => this.#unpublish(request)),
      ...asked('NodeExpandVolume', () => {}),
      ...asked('NodeGetVolumeStats', () => {}, { usage: [bytes, inodes] }),
    }
  }

  #stage({ volumeId, stagingTargetPath, volumeCapability }: Asked): void {
    if (!volumeCapability.block) this.#bind(this.#folderOf(volumeId), stagingTargetPath)
  }

  #unstage({ stagingTargetPath }: Asked): void {
    this.#options.mounts.unmount(stagingTargetPath)
    this.#bound.delete(stagingTargetPath)
  }

  #publish({ volumeId, stagingTargetPath, targetPath, volumeCapability }: Asked): void {
    if (volumeCapability.block) {
      closeSync(openSync(targetPath, 'a'))
      this.#bind(this.#options.mounts.device(this.#fileOf(volumeId)), targetPath)
      return
    }
    mkdirSync(targetPath, { recursive: true })
    this.#bind(stagingTargetPath || this.#folderOf(volumeId), targetPath)
  }

  #unpublish({ volumeId, targetPath }: Asked): void {
    this.#options.mounts.unmount(targetPath)
    this.#bound.delete(targetPath)
    rmSync(targetPath, { recursive: true, force: true })
    const file = join(this.#options.folder, `${volumeId}.img`)
    if (existsSync(file)) this.#options.mounts.release(file)
  }

  /** Calls may come again: nothing is mounted twice. */
  readonly #bound = new Set<string>()

  #bind(source: string, target: string): void {
    if (this.#bound.has(target)) return
    this.#options.mounts.bind(source, target)
    this.#bound.add(target)
  }

  #folderOf(volumeId: string): string {
    const folder = join(this.#options.folder, volumeId)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  #fileOf(volumeId: string): string {
    const file = join(this.#options.folder, `${volumeId}.img`)
    const descriptor = openSync(file, 'a')
    ftruncateSync(descriptor, BLOCK_BYTES)
    closeSync(descriptor)
    return file
  }
}
