// What the kubelet's parts know of their node. Fixed while it runs.

import type { NodeAddress } from '../api/types/core-v1.ts'
import { hasUnifiedCgroups } from './cgroups/pod-cgroups.ts'
import { readHostResolvConf } from './node/host-resolv-conf.ts'
import { type Machine, machineResources } from './node/machine.ts'

export interface NodeFacts {
  nodeName: string
  /** Primary first. */
  hostIPs: readonly string[]
  /** DIR/kubelet: pods/UID/… */
  rootDir: string
  /** DIR/logs/pods */
  logDir: string
  clusterDns: readonly string[]
  clusterDomain: string
  /** Read anew for each sandbox. */
  resolvConf: () => string
  /** Amounts that pods may use: 'cpu' → '2'. */
  allocatable: Readonly<Record<string, string>>
  memoryCapacityBytes: number
  /** cgroup v2. */
  unifiedCgroups: boolean
}

type Given = Pick<NodeFacts, 'nodeName' | 'rootDir' | 'logDir' | 'clusterDns' | 'clusterDomain'> & {
  nodeAddresses: readonly NodeAddress[]
}

export function nodeFacts(given: Given, machine: Machine): NodeFacts {
  const { nodeName, nodeAddresses, rootDir, logDir, clusterDns, clusterDomain } = given
  return {
    nodeName,
    hostIPs: nodeAddresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
    rootDir,
    logDir,
    clusterDns,
    clusterDomain,
    resolvConf: readHostResolvConf,
    allocatable: machineResources(machine),
    memoryCapacityBytes: machine.memoryBytes,
    unifiedCgroups: hasUnifiedCgroups(),
  }
}
