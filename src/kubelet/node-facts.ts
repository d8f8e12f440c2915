// What the kubelet's parts know of their node. Fixed while it runs.

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
}
