// The CRI's calls about the runtime itself: who it is, what it can do, whether it is ready.
import type * as cri from '../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../cri/cri-error.ts'
import type { PodNetwork } from './network/pod-network.ts'
import type { RuntimeKind } from './probe.ts'

type Service = Pick<cri.RuntimeService, 'version' | 'status' | 'runtimeConfig' | 'updateRuntimeConfig'>

const RUNTIME_NAME = 'kubernode'
/** What every containerd calls its own handler; crun and runc do the same things. */
const DEFAULT_HANDLER = 'runc'

export class AboutRuntime implements Service {
  readonly #network: PodNetwork
  readonly #handlers: readonly string[]
  readonly #lacksUserNamespaces: () => Promise<boolean>

  /** `kind` is the OCI runtime that is there; `lacksUserNamespaces` is asked with each status. */
  constructor(network: PodNetwork, kind: RuntimeKind, lacksUserNamespaces: () => Promise<boolean>) {
    this.#network = network
    this.#lacksUserNamespaces = lacksUserNamespaces
    this.#handlers = [...new Set(['', DEFAULT_HANDLER, kind])]
  }

  /** Throws CriError, in containerd's words, for a handler that RuntimeClasses may name and that is not there. */
  checkHandler(handler: string): void {
    if (this.#handlers.includes(handler)) return
    const text = `failed to get sandbox runtime: no runtime for ${JSON.stringify(handler)} is configured`
    throw new CriError(CRI_CODE.unknown, text)
  }

  async version(): Promise<cri.VersionResponse> {
    return { version: '0.1.0', runtimeName: RUNTIME_NAME, runtimeVersion: '0.1.0', runtimeApiVersion: 'v1' }
  }

  async status(): Promise<cri.StatusResponse> {
    const ready = this.#network.isReady
    const network = {
      type: 'NetworkReady',
      status: ready,
      reason: ready ? '' : 'NoPodCidr',
      message: ready ? '' : 'no pod address range was set',
    }
    const conditions = [{ type: 'RuntimeReady', status: true, reason: '', message: '' }, network]
    const userNamespaces = !(await this.#lacksUserNamespaces())
    return {
      status: { conditions },
      info: {},
      runtimeHandlers: this.#handlers.map(name => ({
        name,
        features: { recursiveReadOnlyMounts: true, userNamespaces },
      })),
      features: { supplementalGroupsPolicy: true, userNamespacesHostNetwork: false },
    }
  }

  async runtimeConfig(): Promise<cri.RuntimeConfigResponse> {
    return { linux: { cgroupDriver: 'CGROUPFS' } }
  }

  async updateRuntimeConfig({
    runtimeConfig,
  }: cri.UpdateRuntimeConfigRequest): Promise<cri.UpdateRuntimeConfigResponse> {
    const podCidr = runtimeConfig?.networkConfig?.podCidr
    if (podCidr) this.#network.configure(podCidr)
    return {}
  }
}
