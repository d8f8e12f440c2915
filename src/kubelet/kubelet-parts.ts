// What the kubelet is made from.
import type { NodeAddress } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import type { ImageService, RuntimeService } from '../runtime/cri/cri.generated.ts'
import type { PodCgroups } from './cgroups/pod-cgroups.ts'
import type { KubeletConfiguration } from './configuration/kubelet-configuration.ts'
import type { Observations } from './eviction/threshold.ts'
import type { Machine } from './node/machine.ts'
import type { Recorder } from './pod-events.ts'
import type { BackOffLimits } from './pod-worker/crash-back-off.ts'
import type { Probes } from './pod-worker/worker-parts.ts'
import type { BlockDevices } from './volumes/block-devices.ts'
import type { Mounter } from './volumes/mounter.ts'

export interface KubeletOptions {
  /** Image pulls at the same time; default 4. */
  parallelPulls?: number
  backOff?: BackOffLimits
  cgroups?: PodCgroups
  mounter?: Mounter
  /** What shows files as devices; default: nothing does. */
  devices?: BlockDevices
  probes?: Probes
  /** Default: the machine's own facts. */
  machine?: Machine
  configuration?: KubeletConfiguration
  /** What the node has left. Default: the machine's own state. */
  observe?: () => Observations
  /** The kubelet's own port, shown in the node's status; 0 (the default) for none. */
  port?: number
}

export interface KubeletParts {
  client: Client
  runtime: RuntimeService & ImageService
  clock: Clock
  nodeName: string
  /** DIR/kubelet */
  rootDir: string
  /** DIR/logs/pods */
  logDir: string
  podCidr: string
  clusterDns: readonly string[]
  clusterDomain: string
  nodeAddresses: readonly NodeAddress[]
  recorder: Recorder
  log: Log
  random: () => number
  options?: KubeletOptions
}
