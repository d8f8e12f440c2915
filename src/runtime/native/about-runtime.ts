// The CRI's calls about the runtime itself: who it is, what it can do, whether it is ready.
import type * as cri from '../cri/cri.generated.ts'
import type { PodNetwork } from './network/pod-network.ts'

type Service = Pick<cri.RuntimeService, 'version' | 'status' | 'runtimeConfig' | 'updateRuntimeConfig'>

const RUNTIME_NAME = 'kubernode'

export class AboutRuntime implements Service {
  readonly #network: PodNetwork

  constructor(network: PodNetwork) {
    this.#network = network
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
    // Layers and volumes are not mapped to other ids: pods that want that are refused.
    const userNamespaces = false
    return {
      status: { conditions },
      info: {},
      runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts: true, userNamespaces } }],
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
