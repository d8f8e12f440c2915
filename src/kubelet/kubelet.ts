// The node's agent: registers the node, gives each pod bound to it a worker, and answers what only the node knows.
// It decides nothing about containers itself; pod-worker/ does.
import type { NodeAccess } from '../api/node-access.ts'
import { pods } from '../api/resources.ts'
import type { Pod } from '../api/types/core-v1.ts'
import { aborted } from '../base/aborted.ts'
import { Informer } from '../client/informer.ts'
import { PodAdmission } from './admission/pod-admission.ts'
import { effectiveConfiguration } from './configuration/effective-configuration.ts'
import { shutdownGrace } from './configuration/settings.ts'
import { imageDirOf, observeNode, onSameDisk } from './eviction/measure-node.ts'
import type { KubeletParts } from './kubelet-parts.ts'
import { PodLogs } from './logs/pod-logs.ts'
import { makeWorkerParts } from './make-worker-parts.ts'
import { KubeletInstruments } from './metrics/kubelet-instruments.ts'
import { measuredRuntime } from './metrics/measured-runtime.ts'
import { type Machine, readMachine } from './node/machine.ts'
import { NodeAgent } from './node/node-agent.ts'
import { nodeAccessOf } from './node-access.ts'
import { NodeCare } from './node-care.ts'
import { NodePlugins } from './plugins/node-plugins.ts'
import { PodEnder } from './pod-ender.ts'
import { PodEvents } from './pod-events.ts'
import { PodIntake } from './pod-intake.ts'
import type { PodWorker } from './pod-worker/pod-worker.ts'
import { removePrepared } from './pod-worker/prepared-containers.ts'
import type { WorkerParts } from './pod-worker/worker-parts.ts'
import { PodWorkers } from './pod-workers.ts'
import { Resizes } from './resize/resizes.ts'
import { watchRuntime } from './runtime-view/runtime-events.ts'
import { RuntimeView } from './runtime-view/runtime-view.ts'
import { NodeShutdown } from './shutdown/node-shutdown.ts'
import { isStatic } from './static-pods/static-pod.ts'
import { StaticPods } from './static-pods/static-pods.ts'
import { StatsCollector } from './stats/stats-collector.ts'
import { PodStreaming } from './streaming/pod-streaming.ts'
import { NodeInfoWriter } from './volumes/csi/node-info-writer.ts'

export class Kubelet {
  readonly #parts: KubeletParts
  readonly #view: RuntimeView
  readonly #workers = new PodWorkers()
  readonly #static: StaticPods
  readonly #logs: PodLogs
  readonly #streaming: PodStreaming
  readonly #informer: Informer<Pod>
  readonly #care: NodeCare
  readonly #shutdown: NodeShutdown
  readonly #admission: PodAdmission
  readonly #resizes: Resizes
  readonly #ender: PodEnder
  readonly #stats: StatsCollector
  readonly #instruments = new KubeletInstruments()
  readonly #plugins: NodePlugins
  #workerParts: WorkerParts | undefined
  #agent: NodeAgent | undefined
  #signal: AbortSignal = new AbortController().signal
  /** Where the runtime keeps images: as far as is known. */
  #imageDir: string

  constructor(given: KubeletParts) {
    const runtime = measuredRuntime(given.runtime, this.#instruments, given.clock)
    const parts = { ...given, runtime }
    this.#parts = parts
    this.#imageDir = parts.rootDir
    const { client, clock, log, nodeName, random } = parts
    this.#plugins = this.#makePlugins()
    this.#view = new RuntimeView(parts.runtime)
    this.#logs = new PodLogs({
      runtime: parts.runtime,
      clock,
      workerOf: uid => this.#workerOf(uid),
      runtimeName: () => this.#workerParts!.runtimeName,
    })
    this.#ender = new PodEnder(this.#workers, parts.recorder)
    this.#care = this.#makeCare()
    this.#shutdown = this.#makeShutdown()
    this.#admission = this.#makeAdmission()
    this.#resizes = new Resizes({
      clock,
      events: new PodEvents(parts.recorder),
      node: () => this.#agent?.node,
      active: () => this.#workers.taken(),
      changed: pod => this.#workers.get(pod.metadata.uid)?.update(pod),
    })
    this.#static = this.#makeStaticPods()
    this.#streaming = new PodStreaming({
      runtime: parts.runtime,
      isKnown: uid => this.#workerOf(uid) !== undefined,
    })
    const taken = () => this.#workers.taken()
    const cgroupOf = (pod: Pod) => parts.options?.cgroups?.pathOf(pod) ?? ''
    this.#stats = new StatsCollector({
      runtime,
      facts: parts,
      clock,
      pods: taken,
      cgroupOf,
      claimedPath: (uid, volume) => this.#workerParts?.volumes.pathOf(uid, volume),
      driverFigures: async (uid, volume) => this.#workerParts?.volumes.driverFigures(uid, volume),
    })
    const fieldSelector = `spec.nodeName=${nodeName}`
    this.#informer = new Informer({ client, resource: pods, clock, log, fieldSelector, random })
  }

  /** What the API server may ask of this node. */
  get nodeAccess(): NodeAccess {
    const { runtime, nodeName } = this.#parts
    return nodeAccessOf({
      stats: this.#stats,
      instruments: this.#instruments,
      pods: () => this.#workers.taken(),
      logs: this.#logs,
      streaming: this.#streaming,
      runtime,
      nodeName,
      configuration: () => this.#configuration(),
      systemLogs: '/var/log',
    })
  }

  #configuration(): object {
    const { options, clusterDns, clusterDomain } = this.#parts
    const podLimit = Number(this.#agent?.node?.status.capacity?.pods ?? 0)
    const node = { port: options?.port ?? 0, clusterDns, clusterDomain, podLimit }
    return effectiveConfiguration(options?.configuration ?? {}, node)
  }

  /** Until the signal aborts. Containers keep running afterwards; the next run takes them back. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const { client, clock, log, runtime, nodeName } = this.#parts
    const { agent, workerParts } = await this.#makeWorkers(signal)
    workerParts.statuses.start(signal)
    await Promise.all([
      agent.register(signal),
      removePrepared(runtime, this.#parts),
      workerParts.images.forgetLostImages(),
    ])
    if (signal.aborted) return
    const events = this.#followRuntime(signal)
    await this.#static.load(signal)
    this.#followPods(workerParts, signal)
    const parts = [
      events,
      workerParts.source.run(signal),
      this.#informer.run(signal),
      agent.run(signal),
      this.#care.run(signal),
      this.#static.run(signal),
      this.#plugins.run(signal),
      new NodeInfoWriter(client, nodeName).announce(clock, log, signal),
    ]
    await Promise.race([this.#informer.synced, aborted(signal)])
    if (!signal.aborted) await this.#workers.removeOrphans(nodeName, workerParts, signal)
    this.#plugins.podsKnown()
    await Promise.all(parts)
    await this.#workers.allOver()
  }

  /** Asks the runtime and the machine what they are; from then on pods can have workers. */
  async #makeWorkers(signal: AbortSignal): Promise<{ agent: NodeAgent; workerParts: WorkerParts }> {
    const { runtime, rootDir, options } = this.#parts
    const { runtimeName, runtimeVersion } = await runtime.version({ version: 'v1' })
    this.#imageDir = await imageDirOf(runtime, rootDir)
    const machine = options?.machine ?? readMachine(rootDir, `${runtimeName}://${runtimeVersion}`)
    const agent = this.#makeAgent(machine)
    this.#agent = agent
    const [view, resizes, workers] = [this.#view, this.#resizes, this.#workers]
    const node = () => this.#agent?.node
    const instruments = this.#instruments
    const reportNode = async () => this.#agent?.reportNow()
    const plugins = this.#plugins
    plugins.recover()
    const own = { machine, runtimeName, node, reportNode, plugins }
    const around = { ...own, view, resizes, workers, instruments, registry: plugins.registry, signal }
    const workerParts = makeWorkerParts(this.#parts, around)
    this.#workerParts = workerParts
    return { agent, workerParts }
  }

  /** Until the signal aborts. */
  #followRuntime(signal: AbortSignal): Promise<void> {
    const { runtime, clock, log } = this.#parts
    const target = {
      podChanged: (uid: string) => this.#workers.get(uid)?.wake(),
      anythingChanged: () => this.#workers.wake(),
    }
    return watchRuntime(runtime, this.#view, target, clock, log, signal)
  }

  #followPods(workerParts: WorkerParts, signal: AbortSignal): void {
    const intake = this.#makeIntake(workerParts, signal)
    this.#informer.addHandler({
      add: pod => intake.seen(pod),
      update: (old, pod) => intake.updated(old, pod),
      delete: pod => intake.gone(pod),
    })
  }

  /**
   * Ends what runs before the node goes down, each pod within its own grace and all within `graceMs`. Pods run again
   * after the next start, unless the configuration has a shutdownGracePeriod: then they have failed.
   */
  async shutDown(graceMs: number, signal: AbortSignal): Promise<void> {
    await this.#shutdown.run(graceMs, AbortSignal.any([signal, this.#signal]))
  }

  #makeIntake(workerParts: WorkerParts, signal: AbortSignal): PodIntake {
    return new PodIntake({
      workers: this.#workers,
      workerParts,
      static: this.#static,
      shutdown: this.#shutdown,
      admission: this.#admission,
      resizes: this.#resizes,
      lister: this.#informer.lister,
      hasNode: () => this.#agent?.node !== undefined,
      signal,
    })
  }

  #makeShutdown(): NodeShutdown {
    const { clock, recorder, nodeName, options } = this.#parts
    return new NodeShutdown({
      configured: shutdownGrace(options?.configuration ?? {}),
      nodeName,
      recorder,
      workers: () => this.#workers.all().filter(({ phase }) => phase !== 'over'),
      reportNode: () => this.#reportNode(),
      clock,
    })
  }

  #makeAdmission(): PodAdmission {
    return new PodAdmission({
      allowedUnsafeSysctls: this.#parts.options?.configuration?.allowedUnsafeSysctls ?? [],
      node: () => this.#agent?.node,
      pressures: () => this.#care.pressures,
      refreshNode: () => this.#agent!.refresh(),
      othersThan: uid =>
        this.#workers.taken().filter(other => other.metadata.uid !== uid && this.#isKnown(other)),
      end: (pod, words) => this.#ender.end(pod, words, this.#signal),
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
      observe: options?.observe ?? (() => observeNode(rootDir, this.#imageDir)),
      ownImageDisk: () => !onSameDisk(rootDir, this.#imageDir),
      pods: () => this.#workers.active().map(({ pod }) => pod),
      containers: () => this.#workers.all().flatMap(worker => worker.runningContainers()),
      evict: (eviction, signal) => this.#ender.evict(eviction, signal),
      removeDead: async () => {
        for (const worker of this.#workers.all()) await worker.removeDead()
      },
      pressuresChanged: () => this.#reportNode(),
    })
  }

  #makePlugins(): NodePlugins {
    const { rootDir, client, nodeName, clock, log } = this.#parts
    return new NodePlugins({
      rootDir,
      client,
      nodeName,
      clock,
      log,
      pods: () => this.#workers.taken().filter(pod => this.#isKnown(pod)),
      running: () => this.#workers.taken(),
      reportNode: async () => {
        await this.#agent?.reportNow()
      },
      podChanged: uid => this.#workers.get(uid)?.probesChanged(),
    })
  }

  #makeStaticPods(): StaticPods {
    const { client, clock, log, nodeName, options } = this.#parts
    return new StaticPods({
      client,
      clock,
      log,
      nodeName,
      path: options?.configuration?.staticPodPath,
      node: () => this.#agent?.node,
      run: pod => {
        if (this.#shutdown.newcomers !== 'taken') return new Promise(() => {})
        this.#workers.start(pod, this.#workerParts!, this.#signal)
        return this.#workers.over(pod.metadata.uid)
      },
      stop: uid => this.#workers.get(uid)?.remove(),
      address: (uid, mirror) => this.#workerParts!.statuses.address(uid, mirror),
    })
  }

  /** By the uid that the API has: a static pod's is another here. */
  #workerOf(uid: string): PodWorker | undefined {
    return this.#workers.get(this.#static.behind(uid) ?? uid)
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
      devices: () => this.#plugins.amounts(),
      recorder: this.#parts.recorder,
      volumesInUse: () => this.#workerParts?.volumes.inUse() ?? [],
      seen: node => this.#workerParts?.volumes.nodeSeen(node),
    })
  }

  /** What is gone from the API, however quickly, is not counted any more. Upstream: filterOutInactivePods. */
  #isKnown(pod: Pod): boolean {
    const { name, namespace, uid } = pod.metadata
    const known = this.#informer.lister.find(name, namespace)
    return known?.metadata.uid === uid || isStatic(pod)
  }
}
