// Where a cluster keeps its things. Everything permanent is under dataDir; everything that dies with
// the machine (sockets, pid) is under /run, because socket paths must stay under 108 bytes.
import { join, resolve } from 'node:path'

export interface ClusterPaths {
  dataDir: string
  runDir: string
  /** Kept facts of the cluster: addresses, port (see cluster-facts.ts). */
  facts: string
  kubeconfig: string
  pki: string
  store: string
  runtime: string
  kubelet: string
  podLogs: string
  /** Directories of the volumes that the cluster provides. */
  volumes: string
  /** What the program itself logs when detached. */
  log: string
  runtimeSocket: string
  /** Who runs the cluster now (see running-cluster.ts). */
  running: string
  /** How long `down` lets pods take, for the process that stops. */
  stopGrace: string
}

export function clusterPaths(name: string, dataDir = `/var/lib/kubernode/${name}`): ClusterPaths {
  const data = resolve(dataDir)
  const runDir = `/run/kubernode/${name}`
  return {
    dataDir: data,
    runDir,
    facts: join(data, 'cluster.json'),
    kubeconfig: join(data, 'kubeconfig'),
    pki: join(data, 'pki'),
    store: join(data, 'store'),
    runtime: join(data, 'runtime'),
    kubelet: join(data, 'kubelet'),
    podLogs: join(data, 'logs', 'pods'),
    volumes: join(data, 'volumes'),
    log: join(data, 'kubernode.log'),
    runtimeSocket: join(runDir, 'runtime.sock'),
    running: join(runDir, 'running.json'),
    stopGrace: join(runDir, 'stop-grace'),
  }
}

/** Where the cluster's own container runtime lives. */
export const runtimePlace = (name: string, { runtime, runtimeSocket, kubelet }: ClusterPaths) => ({
  name,
  stateDir: runtime,
  socket: runtimeSocket,
  shared: kubelet,
})
