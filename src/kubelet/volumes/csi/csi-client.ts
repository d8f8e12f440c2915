// A CSI driver's Node service. Failures come as CsiError, with the words that upstream's kubelet has for them.
import { status } from '@grpc/grpc-js'
import { GrpcClient } from '../../../base/grpc/grpc-client.ts'
import { rpcErrorText } from '../../../base/grpc/grpc-error.ts'
import {
  type CsiNodeInfo,
  type ExpandVolume,
  type NodeRpc,
  nodeService,
  type PublishVolume,
  type StageVolume,
  type VolumeUsage,
} from './csi-api.ts'

/** Upstream: csiTimeout. */
const TIMEOUT_MS = 120_000

/** The driver may still be at it. Upstream: isFinalError. */
const UNCERTAIN: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.UNAVAILABLE,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
])

/** Asking again cannot help. Upstream: isInfeasibleError. */
const INFEASIBLE: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.OUT_OF_RANGE,
  status.NOT_FOUND,
])

export class CsiError extends Error {
  readonly #code: number

  constructor(cause: unknown) {
    super(rpcErrorText(cause), { cause })
    const { code } = cause as { code?: unknown }
    this.#code = typeof code === 'number' ? code : status.UNKNOWN
  }

  /** Nothing is under way any more. */
  get isFinal(): boolean {
    return !UNCERTAIN.has(this.#code)
  }

  get isInfeasible(): boolean {
    return INFEASIBLE.has(this.#code)
  }
}

export class CsiClient {
  readonly #client: GrpcClient
  #abilities: ReadonlySet<NodeRpc> | undefined

  /** Nothing is sent before the first call. */
  constructor(endpoint: string) {
    this.#client = new GrpcClient(endpoint, nodeService)
  }

  nodeGetInfo(): Promise<CsiNodeInfo> {
    return this.#call('NodeGetInfo', {})
  }

  /** Asked for once. */
  async abilities(): Promise<ReadonlySet<NodeRpc>> {
    if (this.#abilities) return this.#abilities
    const { capabilities } = await this.#call<{ capabilities: { rpc?: { type: NodeRpc } }[] }>(
      'NodeGetCapabilities',
      {},
    )
    this.#abilities = new Set(capabilities.flatMap(({ rpc }) => (rpc ? [rpc.type] : [])))
    return this.#abilities
  }

  async stage(request: StageVolume): Promise<void> {
    await this.#call('NodeStageVolume', request)
  }

  async unstage(volumeId: string, stagingTargetPath: string): Promise<void> {
    await this.#call('NodeUnstageVolume', { volumeId, stagingTargetPath })
  }

  async publish(request: PublishVolume): Promise<void> {
    await this.#call('NodePublishVolume', request)
  }

  async unpublish(volumeId: string, targetPath: string): Promise<void> {
    await this.#call('NodeUnpublishVolume', { volumeId, targetPath })
  }

  async expand(request: ExpandVolume): Promise<void> {
    await this.#call('NodeExpandVolume', request)
  }

  async stats(volumeId: string, volumePath: string, stagingTargetPath?: string): Promise<VolumeUsage[]> {
    const request = { volumeId, volumePath, ...(stagingTargetPath && { stagingTargetPath }) }
    return (await this.#call<{ usage: VolumeUsage[] }>('NodeGetVolumeStats', request)).usage
  }

  close(): void {
    this.#client.close()
  }

  async #call<Answer extends object>(method: string, request: object): Promise<Answer> {
    try {
      return await this.#client.call<Answer>(method, request, { timeoutMs: TIMEOUT_MS })
    } catch (error) {
      throw new CsiError(error)
    }
  }
}
