// The node's agent: registers the node, gives each pod bound to it a worker, and answers what only the node knows.
// It decides nothing about containers itself; pod-worker/ does.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pods } from '../api/resources.ts'
import type { NodeAddress, Pod } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { Informer } from '../client/informer.ts'
import type { ImageService, RuntimeService } from '../runtime/cri/cri.generated.ts'
import { rejection } from './admission/can-admit.ts'
import { type HostFeatures, hostHasAppArmor, refusedByHost } from './admission/host-features.ts'
import { noCgroups, type PodCgroups } from './cgroups/pod-cgroups.ts'
import type { KubeletConfiguration } from './configuration/kubelet-configuration.ts'
import { backOffLimits, shutdownGrace } from './configuration/settings.ts'
import { ClientObjectSource } from './containers/object-source.ts'
import { observeNode } from './eviction/measure-node.ts'
import type { Observations } from './eviction/threshold.ts'
import { HookRunner } from './hooks/hook-runner.ts'
import { ImagePuller } from './images/image-puller.ts'
import { PulledImages } from './images/pulled-images.ts'
import { PodLogs } from './logs/pod-logs.ts'
import { readHostResolvConf } from './node/host-resolv-conf.ts'
import { type Machine, machineResources, readMachine } from './node/machine.ts'
import { NodeAgent } from './node/node-agent.ts'
import type { NodeAccess } from './node-access.ts'
import { NodeCare } from './node-care.ts'
import type { NodeFacts } from './node-facts.ts'
import { orphanPod } from './orphan-pod.ts'
import { PodEvents, type Recorder } from './pod-events.ts'
import { podDir } from './pod-paths.ts'
import type { BackOffLimits } from './pod-worker/crash-back-off.ts'
import { PodWorker } from './pod-worker/pod-worker.ts'
import { PreparedContainers, removePrepared } from './pod-worker/prepared-containers.ts'
import type { Probes, WorkerParts } from './pod-worker/worker-parts.ts'
import { Prober } from './prober/prober.ts'
import { Resizes } from './resize/resizes.ts'
import { watchRuntime } from './runtime-view/runtime-events.ts'
import { RuntimeView } from './runtime-view/runtime-view.ts'
import { NodeShutdown, REJECTED } from './shutdown/node-shutdown.ts'
import { isTerminal } from './status/compute-status.ts'
import { StatusWriter } from './status/status-writer.ts'
import { type Mounter, systemMounter } from './volumes/mounter.ts'
import { PodVolumes } from './volumes/pod-volumes.ts'

export interface KubeletOptions {
  /** Image pulls at the same time; default 4. */
  parallelPulls?: number
  backOff?: BackOffLimits
  cgroups?: PodCgroups
  mounter?: Mounter
  probes?: Probes
  /** Default: the machine's own facts. */
  machine?: Machine
  configuration?: KubeletConfiguration
  /** What the node has left. Default: the machine's own state. */
  observe?: () => Observations
  /** The kubelet's own port, shown in the node's status; 0 (the default) for none. */
  port?: number
}

const EVICTED = 'Evicted'

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

export class Kubelet {
  readonly #parts: KubeletParts
  readonly #view: RuntimeView
  readonly #workers = new Map<string, PodWorker>()
  readonly #running = new Set<Promise<void>>()
  readonly #logs: PodLogs
  readonly #informer: Informer<Pod>
  readonly #care: NodeCare
  readonly #shutdown: NodeShutdown
  readonly #resizes: Resizes
  #workerParts: WorkerParts | undefined
  #agent: NodeAgent | undefined
  #signal: AbortSignal = new AbortController().signal

  constructor(parts: KubeletParts) {
    this.#parts = parts
    const { client, clock, log, nodeName, random } = parts
    this.#view = new RuntimeView(parts.runtime)
    this.#logs = new PodLogs({ runtime: parts.runtime, clock, workerOf: uid => this.#workers.get(uid) })
    this.#care = this.#makeCare()
    this.#shutdown = this.#makeShutdown()
    this.#resizes = new Resizes({
      clock,
      events: new PodEvents(parts.recorder),
      node: () => this.#agent?.node,
      active: () => this.#takenPods(),
      changed: pod => this.#workers.get(pod.metadata.uid)?.update(pod),
    })
    const fieldSelector = `spec.nodeName=${nodeName}`
    this.#informer = new Informer({ client, resource: pods, clock, log, fieldSelector, random })
  }

  /** What the API server may ask of this node. */
  get nodeAccess(): NodeAccess {
    return { logs: (_nodeName, pod, options, signal) => this.#logs.read(pod, options, signal) }
  }

  /** Until the signal aborts. Containers keep running afterwards; the next run takes them back. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const { runtime, clock, log } = this.#parts
    const version = await runtime.version({ version: 'v1' })
    const machine =
      this.#parts.options?.machine ??
      readMachine(this.#parts.rootDir, `${version.runtimeName}://${version.runtimeVersion}`)
    this.#agent = this.#makeAgent(machine)
    this.#workerParts = this.#makeWorkerParts(machine, version.runtimeName)
    this.#workerParts.statuses.start(signal)
    await Promise.all([
      this.#agent.register(signal),
      removePrepared(runtime, this.#parts),
      this.#workerParts.images.forgetLostImages(),
    ])
    if (signal.aborted) return
    const target = {
      podChanged: (uid: string) => this.#workers.get(uid)?.wake(),
      anythingChanged: () => this.#wakeAll(),
    }
    const events = watchRuntime(runtime, this.#view, target, clock, log, signal)
    this.#informer.addHandler({
      add: pod => this.#podSeen(pod),
      update: (old, pod) => this.#podUpdated(old, pod),
      delete: pod => this.#podGone(pod),
    })
    const parts = [events, this.#informer.run(signal), this.#agent.run(signal), this.#care.run(signal)]
    await Promise.race([this.#informer.synced, aborted(signal)])
    if (!signal.aborted) await this.#removeOrphans()
    await Promise.all(parts)
    await Promise.all(this.#running)
  }

  /**
   * Ends what runs before the node goes down, each pod within its own grace and all within `graceMs`. Pods run again
   * after the next start, unless the configuration has a shutdownGracePeriod: then they have failed.
   */
  async shutDown(graceMs: number, signal: AbortSignal): Promise<void> {
    await this.#shutdown.run(graceMs, AbortSignal.any([signal, this.#signal]))
  }

  #makeShutdown(): NodeShutdown {
    const { clock, recorder, nodeName, options } = this.#parts
    return new NodeShutdown({
      configured: shutdownGrace(options?.configuration ?? {}),
      nodeName,
      recorder,
      workers: () => [...this.#workers.values()].filter(({ phase }) => phase !== 'over'),
      reportNode: () => this.#reportNode(),
      clock,
    })
  }

  #reportNode(): void {
    const { log } = this.#parts
    const written = this.#agent?.reportNow()
    void written?.catch(error => log.warn({ error }, 'the node status could not be written'))
  }

  #makeCare(): NodeCare {
    const { runtime, clock, log, recorder, nodeName, rootDir, logDir, options } = this.#parts
    return new NodeCare({
      runtime,
      clock,
      log,
      recorder,
      nodeName,
      rootDir,
      logDir,
      configuration: options?.configuration ?? {},
      observe: options?.observe ?? (() => observeNode(rootDir, rootDir)),
      pods: () => this.#activePods(),
      containers: () => [...this.#workers.values()].flatMap(worker => worker.runningContainers()),
      evict: ({ pod, message, graceSeconds }, signal) => {
        this.#workerParts!.events.tell(pod, 'Warning', EVICTED, message)
        const words = { reason: EVICTED, message, disruption: true }
        return this.#workers.get(pod.metadata.uid)?.evict(words, graceSeconds, signal) ?? Promise.resolve()
      },
      removeDead: async () => {
        for (const worker of this.#workers.values()) await worker.removeDead()
      },
      pressuresChanged: () => this.#reportNode(),
    })
  }

  #activePods(): Pod[] {
    return [...this.#workers.values()]
      .filter(({ phase }) => phase === 'running')
      .map(({ pod }) => pod)
      .filter(pod => !isTerminal(pod.status.phase))
  }

  #makeAgent(machine: Machine): NodeAgent {
    const { client, runtime, clock, log, nodeName, nodeAddresses, podCidr, options } = this.#parts
    const port = options?.port ?? 0
    return new NodeAgent({
      client,
      runtime,
      clock,
      log,
      nodeName,
      addresses: nodeAddresses,
      machine,
      podCidr,
      port,
      pressures: () => this.#care.pressures,
      problem: () => this.#shutdown.problem,
    })
  }

  #makeWorkerParts(machine: Machine, runtimeName: string): WorkerParts {
    const { client, runtime, clock, log, recorder, random, rootDir, options } = this.#parts
    const source = new ClientObjectSource(client)
    const events = new PodEvents(recorder)
    const facts = this.#facts(machine)
    const mounter = options?.mounter ?? systemMounter
    const changed = (uid: string) => this.#workers.get(uid)?.wake()
    return {
      runtime: this.#view.runtime,
      view: this.#view,
      images: new ImagePuller({
        images: runtime,
        source,
        clock,
        events,
        parallel: options?.configuration?.maxParallelImagePulls ?? options?.parallelPulls ?? 4,
        pulled: new PulledImages(join(rootDir, 'image_manager')),
      }),
      prepared: new PreparedContainers(this.#view.runtime),
      resizes: this.#resizes,
      volumes: new PodVolumes({
        facts,
        source,
        client,
        mounter,
        clock,
        log,
        events,
        changed,
        signal: this.#signal,
      }),
      hooks: new HookRunner({ runtime, clock, events }),
      cgroups: options?.cgroups ?? noCgroups,
      probes:
        options?.probes ??
        new Prober({
          runtime,
          events,
          clock,
          random,
          hostIPs: facts.hostIPs,
          changed: uid => this.#workers.get(uid)?.probesChanged(),
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

  #facts(machine: Machine): NodeFacts {
    const { nodeName, nodeAddresses, rootDir, logDir, clusterDns, clusterDomain } = this.#parts
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
    }
  }

  #wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake()
  }

  #podSeen(pod: Pod): void {
    const { newcomers } = this.#shutdown
    if (this.#workers.has(pod.metadata.uid) || newcomers === 'kept') return
    const worker = this.#startWorker(this.#resizes.seen(pod))
    const isNew = this.#agent?.node && !this.#isKnownToRuntime(pod)
    const words = isNew ? (newcomers === 'refused' ? REJECTED : this.#judge(pod)) : undefined
    if (!words) return
    const { reason, message } = words
    this.#workerParts!.events.tell(pod, 'Warning', reason, message.replace('Pod was rejected: ', ''))
    worker.reject(words)
  }

  /** A pod that has started here before is not judged again. */
  #isKnownToRuntime(pod: Pod): boolean {
    return !!pod.status.startTime || isTerminal(pod.status.phase) || !!pod.metadata.deletionTimestamp
  }

  /** Pods that take something of the node, each with what it was granted. */
  #takenPods(): Pod[] {
    return [...this.#workers.values()]
      .filter(({ phase }) => phase !== 'over' && phase !== 'gone')
      .map(({ pod }) => pod)
      .filter(pod => !isTerminal(pod.status.phase))
  }

  #judge(pod: Pod) {
    const others = this.#takenPods().filter(({ metadata }) => metadata.uid !== pod.metadata.uid)
    return refusedByHost(pod, this.#hostFeatures()) ?? rejection(pod, this.#agent!.node!, others)
  }

  #hostFeatures(): HostFeatures {
    const { allowedUnsafeSysctls = [] } = this.#parts.options?.configuration ?? {}
    return { unsafeSysctls: allowedUnsafeSysctls, hasAppArmor: hostHasAppArmor() }
  }

  #podUpdated(old: Pod, pod: Pod): void {
    if (old.metadata.uid !== pod.metadata.uid) {
      this.#podGone(old)
      this.#podSeen(pod)
      return
    }
    this.#workerParts!.statuses.observe(pod)
    this.#workers.get(pod.metadata.uid)?.update(this.#resizes.updated(pod))
  }

  #podGone(pod: Pod): void {
    this.#workers.get(pod.metadata.uid)?.remove()
  }

  #startWorker(pod: Pod): PodWorker {
    const { uid } = pod.metadata
    const worker = new PodWorker(pod, this.#workerParts!)
    this.#workers.set(uid, worker)
    const done = worker.run(this.#signal).then(() => {
      this.#workers.delete(uid)
      this.#resizes.forget(uid)
      this.#running.delete(done)
    })
    this.#running.add(done)
    return worker
  }

  /** Pods that the API does not know any more, once it has said all it knows: stopped, and nothing of them is kept. */
  async #removeOrphans(): Promise<void> {
    const { log, rootDir } = this.#parts
    for (const name of await this.#view.pods()) {
      if (this.#workers.has(name.uid)) continue
      log.info(
        { pod: `${name.namespace}/${name.name}`, uid: name.uid },
        'a pod that is gone from the API is stopped',
      )
      const { containers } = await this.#view.observe(name.uid)
      this.#startWorker(orphanPod(name, containers, this.#parts.nodeName)).remove()
    }
    const { volumes, cgroups } = this.#workerParts!
    for (const uid of await readdir(join(rootDir, 'pods')).catch(() => [])) {
      if (!this.#workers.has(uid)) await volumes.tearDown(uid)
    }
    for (const uid of cgroups.uids()) if (!this.#workers.has(uid)) cgroups.remove(uid)
    log.debug({ dir: podDir({ rootDir }, '') }, 'remains of earlier pods are removed')
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
