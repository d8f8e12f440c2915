// One sandbox of the fake runtime: a status that its runtime changes.
import type { PodSandboxConfig, PodSandboxStatus } from '../cri/cri.generated.ts'

export interface FakeSandbox {
  status: PodSandboxStatus
  config: PodSandboxConfig
}

export interface NewFakeSandbox {
  id: string
  config: PodSandboxConfig
  runtimeHandler: string
  /** Its own, unless it is in the node's network. */
  address: string
  /** Nanoseconds since the epoch. */
  createdAt: number
}

export function fakeSandbox({ id, config, runtimeHandler, address, createdAt }: NewFakeSandbox): FakeSandbox {
  const network = config.linux?.securityContext?.namespaceOptions?.network ?? 'POD'
  const status: PodSandboxStatus = {
    id,
    metadata: config.metadata,
    state: 'SANDBOX_READY',
    createdAt,
    network: { ip: network === 'NODE' ? '' : address, additionalIps: [] },
    linux: { namespaces: { options: { network } } },
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
    runtimeHandler,
  }
  return { status, config }
}
