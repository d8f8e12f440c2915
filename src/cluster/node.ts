// Starts what makes this machine a node: the container runtime and the kubelet.
import { existsSync, readdirSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { nodes } from '../api/resources.ts'
import { PlainError } from '../base/plain-error.ts'
import { EventRecorder } from '../client/events/event-recorder.ts'
import { systemCgroups } from '../kubelet/cgroups/pod-cgroups.ts'
import type { KubeletConfiguration } from '../kubelet/configuration/kubelet-configuration.ts'
import { Kubelet } from '../kubelet/kubelet.ts'
import { podsDir } from '../kubelet/pod-paths.ts'
import { systemBlockDevices } from '../kubelet/volumes/block-devices.ts'
import { type CriConnection, connectCri } from '../runtime/cri-client/connect-cri.ts'
import { startRuntimeProcess } from '../runtime/native/runtime-process.ts'
import { makeTopFolder } from '../runtime/native/syscall/top-folder.ts'
import type { RunningApiServer } from './api-server.ts'
import { CLUSTER_DOMAIN, clusterDnsAddress } from './cluster-dns.ts'
import { openKubeletPort } from './kubelet-port.ts'
import { type ClusterParts, keepRunning } from './parts.ts'
import { runtimePlace } from './paths.ts'

export interface RunningRuntime {
  connection: CriConnection
  /** For people: 'kubernode 0.1.0 (crun)'. */
  about: string
  /** Its pods are killed when the cluster is removed from the machine; another runtime's would stay. */
  isOwn: boolean
}

/** `choice` is auto, native, or unix:///PATH of another CRI runtime, which has its own idea of registries. */
export async function startRuntime(
  parts: ClusterParts,
  choice: string,
  registries?: string,
): Promise<RunningRuntime> {
  const own = !choice.startsWith('unix://')
  if (!own && registries)
    throw new PlainError(`The runtime at ${choice} has registries of its own: leave --registries out.`)
  if (own) {
    const child = await startRuntimeProcess({
      ...runtimePlace(parts.name, parts.paths),
      ...(registries && { registries: resolve(registries) }),
    })
    parts.onStop(() => child.stop())
    child.failed.catch(error => parts.fail(error))
  }
  const connection = connectCri(own ? parts.paths.runtimeSocket : choice.slice('unix://'.length))
  parts.onStop(() => connection.close())
  const [version] = await Promise.all([
    connection.version({ version: 'v1' }),
    connection.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr: parts.facts.podCidr } } }),
    ...(own ? [loadOwnImages(connection)] : []),
  ])
  return { connection, about: `${version.runtimeName} ${version.runtimeVersion}`, isOwn: own }
}

/** Images that the set-up made beside the program: so that the examples run without any registry. */
async function loadOwnImages(connection: CriConnection): Promise<void> {
  const folder = findUpwards('.cache/images')
  if (!folder) return
  const layouts = readdirSync(folder).map(name => join(folder, name))
  await Promise.all(
    layouts
      .filter(path => existsSync(join(path, 'index.json')))
      .map(path => connection.load({ path, names: [] })),
  )
}

function findUpwards(path: string): string | undefined {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, path))) return join(folder, path)
  }
  return undefined
}

/** Resolves when the node is Ready. */
export async function startKubelet(
  api: RunningApiServer,
  runtime: RunningRuntime,
  configuration: KubeletConfiguration,
  parts: ClusterParts,
): Promise<void> {
  const { clock, log, paths, nodeName, facts } = parts
  for (const folder of [podsDir({ rootDir: paths.kubelet }), paths.podLogs]) makeTopFolder(folder, 0o750)
  const user = { name: `system:node:${nodeName}`, groups: ['system:nodes'] }
  const client = api.clientOf(user, 'kubelet')
  const address = machineAddress()
  const { port: wanted } = configuration
  const port = await openKubeletPort(api, parts, {
    client,
    address,
    ...(wanted !== undefined && { port: wanted }),
    access: () => kubelet.nodeAccess,
  })
  const kubelet: Kubelet = new Kubelet({
    client,
    runtime: runtime.connection,
    clock,
    nodeName,
    rootDir: paths.kubelet,
    logDir: paths.podLogs,
    podCidr: facts.podCidr,
    clusterDns: [clusterDnsAddress(facts)],
    clusterDomain: CLUSTER_DOMAIN,
    nodeAddresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: nodeName },
    ],
    recorder: new EventRecorder({ client, component: 'kubelet', host: nodeName, clock, log }),
    log,
    random: Math.random,
    options: {
      port,
      configuration,
      cgroups: systemCgroups(`/${parts.name}`, log, configuration.podPidsLimit),
      devices: systemBlockDevices(parts.name),
    },
  })
  api.setNodeAccess(nodeName, kubelet.nodeAccess)
  const ready = untilReady(api, parts)
  keepRunning(parts, signal => kubelet.run(signal))
  // Undone before everything else: pods end while all that they may need is still there. Those that have no time are
  // killed when everything else is gone, all at once.
  parts.onStop(async () => {
    if (parts.ending.graceMs > 0 || !runtime.isOwn) await kubelet.shutDown(parts.ending.graceMs, parts.hurry)
  })
  await ready
}

async function untilReady(api: RunningApiServer, { nodeName }: ClusterParts): Promise<void> {
  const client = api.clientOf({ name: 'kubernetes-admin', groups: ['system:masters'] }, 'kubernode')
  const stop = new AbortController()
  const fieldSelector = `metadata.name=${nodeName}`
  for await (const { type, object } of client.watch(nodes, { fieldSelector, signal: stop.signal })) {
    const ready = object.status?.conditions?.find(condition => condition.type === 'Ready')
    if (type !== 'BOOKMARK' && ready?.status === 'True') break
  }
  stop.abort()
}

/** The address that other machines know this one by; loopback on a machine without any. */
function machineAddress(): string {
  const addresses = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(kn-|kv|kd-)/.test(name))
    .flatMap(([, list]) => list ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
