import { join } from 'node:path'
import type { Node } from '../api/types/core-v1.ts'
import { noCgroups } from './cgroups/pod-cgroups.ts'
import { backOffLimits } from './configuration/settings.ts'
import { ClientObjectSource } from './containers/object-source.ts'
import { HookRunner } from './hooks/hook-runner.ts'
import { ImagePuller } from './images/image-puller.ts'
import { PulledImages } from './images/pulled-images.ts'
import type { KubeletParts } from './kubelet-parts.ts'
import type { KubeletInstruments } from './metrics/kubelet-instruments.ts'
import type { Machine } from './node/machine.ts'
import { type NodeFacts, nodeFacts } from './node-facts.ts'
import { PLUGIN_TYPE } from './plugins/plugin-handler.ts'
import type { PluginRegistry } from './plugins/plugin-registry.ts'
import type { PodPlugins } from './plugins/pod-plugins.ts'
import { PodEvents } from './pod-events.ts'
import { PreparedContainers } from './pod-worker/prepared-containers.ts'
import type { WorkerParts } from './pod-worker/worker-parts.ts'
import type { PodWorkers } from './pod-workers.ts'
import { Prober } from './prober/prober.ts'
import type { Resizes } from './resize/resizes.ts'
import type { RuntimeView } from './runtime-view/runtime-view.ts'
import { StatusWriter } from './status/status-writer.ts'
import { DEFAULT_IDS_PER_POD, kubeletIds, readSubordinateIds } from './user-namespaces/kubelet-ids.ts'
import { UserNamespaces } from './user-namespaces/user-namespaces.ts'
import { noBlockDevices } from './volumes/block-devices.ts'
import { CsiDrivers } from './volumes/csi/csi-drivers.ts'
import { CsiVolumes } from './volumes/csi/csi-volumes.ts'
import { NodeInfoWriter } from './volumes/csi/node-info-writer.ts'
import { systemMounter } from './volumes/mounter.ts'
import { PodTokens } from './volumes/pod-tokens.ts'
import { PodVolumes } from './volumes/pod-volumes.ts'

export interface WorkerSurroundings {
  machine: Machine
  /** Scheme of container ids, as the runtime names itself. */
  runtimeName: string
  view: RuntimeView
  resizes: Resizes
  workers: PodWorkers
  /** As last seen; undefined before it is registered. */
  node: () => Node | undefined
  /** Writes the node's status when something of it has changed, and answers the node as it is then. */
  reportNode: () => Promise<Node | undefined>
  /** Where CSI drivers register. */
  registry: PluginRegistry
  instruments: KubeletInstruments
  plugins: PodPlugins
  /** Aborts when the kubelet ends. */
  signal: AbortSignal
}

/** Who works for the node's pods, ready made from what the kubelet has. */
export function makeWorkerParts(parts: KubeletParts, around: WorkerSurroundings): WorkerParts {
  const { machine, runtimeName, view, resizes, workers, node, signal } = around
  const { client, runtime, clock, log, recorder, random, rootDir, options } = parts
  const source = new ClientObjectSource({ client, clock, log, random })
  const events = new PodEvents(recorder)
  const facts = nodeFacts(parts, machine)
  const mounter = options?.mounter ?? systemMounter
  const changed = (uid: string) => workers.get(uid)?.wake()
  const tokens = new PodTokens(client)
  const nodeInfo = new NodeInfoWriter(client, facts.nodeName)
  const registered = (name: string) => volumes.driverRegistered(name)
  const drivers = new CsiDrivers({ client, clock, log, nodeInfo, registered, signal })
  around.registry.addHandler(PLUGIN_TYPE.csi, drivers)
  const shared = { facts, client, tokens, mounter, events, clock, log }
  const volumes: PodVolumes = new PodVolumes({
    ...shared,
    source,
    devices: options?.devices ?? noBlockDevices,
    csi: new CsiVolumes({ ...shared, drivers, reportNode: around.reportNode }),
    changed,
    signal,
  })
  return {
    runtime: view.runtime,
    view,
    images: new ImagePuller({
      images: runtime,
      source,
      clock,
      events,
      parallel: options?.configuration?.maxParallelImagePulls ?? options?.parallelPulls ?? 4,
      pulled: new PulledImages(join(rootDir, 'image_manager')),
    }),
    prepared: new PreparedContainers(view.runtime),
    resizes,
    volumes,
    hooks: new HookRunner({ runtime, clock, events }),
    cgroups: options?.cgroups ?? noCgroups,
    userNamespaces: userNamespacesOf(parts, facts, node),
    plugins: around.plugins,
    probes:
      options?.probes ??
      new Prober({
        runtime,
        events,
        clock,
        random,
        instruments: around.instruments,
        hostIPs: facts.hostIPs,
        changed: uid => workers.get(uid)?.probesChanged(),
      }),
    events,
    statuses: new StatusWriter(client, clock, log),
    client,
    source,
    facts,
    runtimeName,
    backOffLimits: options?.backOff ?? backOffLimits(options?.configuration ?? {}),
    clock,
    log,
  }
}

/** Takes back what earlier runs gave. Throws PlainError when the machine's configuration of ids cannot be used. */
function userNamespacesOf(
  { rootDir, random, log, options }: KubeletParts,
  { allocatable }: NodeFacts,
  node: () => Node | undefined,
): UserNamespaces {
  const idsPerPod = options?.configuration?.userNamespaces?.idsPerPod ?? DEFAULT_IDS_PER_POD
  const span = kubeletIds(readSubordinateIds(), idsPerPod, Number(allocatable.pods))
  const isSupported = () =>
    node()?.status.runtimeHandlers?.some(({ name, features }) => !name && features?.userNamespaces) ?? false
  const userNamespaces = new UserNamespaces({ rootDir, span, idsPerPod, start: random(), isSupported, log })
  userNamespaces.recover()
  return userNamespaces
}
