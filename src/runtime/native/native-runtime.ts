// The CRI's RuntimeService over sandboxes and containers of this machine.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type * as cri from '../cri/cri.generated.ts'
import { CRI_CODE, CriError, criNotFound } from '../cri/cri-error.ts'
import { EventHub } from '../cri/event-hub.ts'
import { matchesContainer, matchesSandbox } from '../cri/list-filters.ts'
import { checkContainerName, checkSandboxName } from '../cri/reserved-names.ts'
import { AboutRuntime } from './about-runtime.ts'
import { attachWarmer } from './cgroup/warm-attach.ts'
import { AppArmor } from './containers/app-armor.ts'
import type { ContainerRecord } from './containers/container-record.ts'
import { SpecMaker } from './containers/container-spec.ts'
import { ContainerStore } from './containers/container-store.ts'
import { containerStatus, containerSummary } from './containers/container-views.ts'
import { execSync } from './containers/exec-sync.ts'
import { watchExits } from './containers/exit-watch.ts'
import { imageVolumesOf, withImageVolumes } from './containers/image-volumes.ts'
import { updateResources } from './containers/update-resources.ts'
import { checkPropagation, makeSources } from './host-mounts.ts'
import type { ImageStore } from './images/image-store.ts'
import { PodNetwork } from './network/pod-network.ts'
import type { RuntimeChoice } from './probe.ts'
import { type Sandbox, SandboxStore, sandboxStatus, sandboxSummary } from './sandbox/sandbox-store.ts'
import { userIdsOf } from './sandbox/user-namespace.ts'
import { lackOfUserNamespaces } from './sandbox/user-namespace-support.ts'
import type { StateDir } from './state-dir.ts'
import { RuntimeStats } from './stats/runtime-stats.ts'
import { StatsService } from './stats/stats-service.ts'
import { StreamingCalls } from './streaming/streaming-calls.ts'

export interface NativeRuntimeOptions {
  /** The cluster's name. */
  name: string
  dir: StateDir
  images: ImageStore
  choice: RuntimeChoice
  clock: Clock
  log: Log
}

type Service = Pick<
  cri.RuntimeService,
  | 'runPodSandbox'
  | 'stopPodSandbox'
  | 'removePodSandbox'
  | 'podSandboxStatus'
  | 'listPodSandbox'
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'listContainers'
  | 'containerStatus'
  | 'updateContainerResources'
  | 'reopenContainerLog'
  | 'execSync'
  | 'exec'
  | 'attach'
  | 'portForward'
  | 'getContainerEvents'
>

export class NativeRuntime implements Service {
  readonly #options: NativeRuntimeOptions
  readonly #events = new EventHub()
  readonly #network: PodNetwork
  readonly #sandboxes: SandboxStore
  readonly #containers: ContainerStore
  readonly #specs: SpecMaker
  readonly #appArmor: AppArmor
  readonly #warmAttach = attachWarmer()
  readonly #streaming: StreamingCalls
  readonly #figures: RuntimeStats
  /** The CRI's calls for figures. */
  readonly stats: StatsService
  /** The CRI's calls about the runtime itself. */
  readonly about: AboutRuntime
  #stopWatching = () => {}
  #userNamespaceLack: Promise<string | undefined> | undefined

  constructor(options: NativeRuntimeOptions) {
    this.#options = options
    const { name, dir, clock, log, choice } = options
    this.#network = new PodNetwork(name)
    this.#appArmor = new AppArmor(name, log)
    this.about = new AboutRuntime(this.#network, choice.kind, () => this.#lacksUserNamespaces())
    const cgroupParent = ({ linux }: cri.PodSandboxConfig) => linux?.cgroupParent || `/${name}/kubepods`
    this.#sandboxes = new SandboxStore({ dir, network: this.#network, clock, choice, cgroupParent })
    this.#containers = new ContainerStore({
      dir,
      clock,
      log,
      runtime: choice.path,
      isRunc: choice.kind === 'runc',
      cgroupOf: ({ sandboxId, id }) => {
        const sandbox = this.#sandboxes.find(sandboxId)
        return sandbox && join(cgroupParent(sandbox.config), id)
      },
      onEvent: (type, container) => this.#publish(type, container),
    })
    this.#streaming = new StreamingCalls({ dir, choice, clock, log })
    const cgroupOf = (sandbox: Sandbox, id = '') => join(cgroupParent(sandbox.config), id)
    this.#figures = new RuntimeStats({ dir, clock, cgroupOf })
    this.stats = new StatsService(this.#containers, this.#sandboxes, this.#figures)
    this.#specs = new SpecMaker({
      cgroupParent,
      dir,
      kind: choice.kind,
      target: id => this.#containers.get(id),
    })
  }

  /** Finds what an earlier runtime left and watches for ends from then on. */
  async open(): Promise<void> {
    await this.#streaming.open()
    await this.#sandboxes.recover()
    await this.#containers.recover()
    this.#stopWatching = watchExits(this.#options.dir.exits, id => this.#containers.ended(id))
  }

  close(): void {
    this.#stopWatching()
    this.#streaming.close()
  }

  /** Tried out once. */
  async #lacksUserNamespaces(): Promise<boolean> {
    const { dir, log } = this.#options
    this.#userNamespaceLack ??= lackOfUserNamespaces(dir).then(reason => {
      if (reason) log.info({ reason }, 'pods cannot have user namespaces on this machine')
      return reason
    })
    return (await this.#userNamespaceLack) !== undefined
  }

  /** Ids of containers made from an image. */
  containersUsing(imageId: string): string[] {
    return this.#containers
      .list()
      .filter(one => one.imageId === imageId || one.volumeImageIds?.includes(imageId))
      .map(({ id }) => id)
  }

  async runPodSandbox({
    config,
    runtimeHandler,
  }: cri.RunPodSandboxRequest): Promise<cri.RunPodSandboxResponse> {
    this.#warmAttach()
    checkSandboxName(config?.metadata, this.#sandboxes.list().map(sandboxSummary))
    this.about.checkHandler(runtimeHandler ?? '')
    const { id } = await this.#sandboxes.run(config, runtimeHandler ?? '')
    this.#tell('CONTAINER_STARTED_EVENT', id, id)
    return { podSandboxId: id }
  }

  async stopPodSandbox({ podSandboxId }: cri.StopPodSandboxRequest): Promise<cri.StopPodSandboxResponse> {
    await Promise.all(this.#containersOf(podSandboxId).map(({ id }) => this.#containers.stop(id, 0)))
    const wasReady = this.#sandboxes.find(podSandboxId)?.ready
    await this.#sandboxes.stop(podSandboxId)
    if (wasReady) this.#tell('CONTAINER_STOPPED_EVENT', podSandboxId, podSandboxId)
    return {}
  }

  async removePodSandbox({
    podSandboxId,
  }: cri.RemovePodSandboxRequest): Promise<cri.RemovePodSandboxResponse> {
    await Promise.all(this.#containersOf(podSandboxId).map(({ id }) => this.#containers.remove(id)))
    await this.#sandboxes.remove(podSandboxId)
    this.#figures.forget(podSandboxId)
    return {}
  }

  async podSandboxStatus({
    podSandboxId,
  }: cri.PodSandboxStatusRequest): Promise<cri.PodSandboxStatusResponse> {
    const sandbox = this.#sandboxes.get(podSandboxId)
    const containersStatuses = this.#containersOf(podSandboxId).map(container => containerStatus(container))
    return {
      status: sandboxStatus(sandbox),
      info: {},
      containersStatuses,
      timestamp: this.#options.clock.now() * 1e6,
    }
  }

  async listPodSandbox({ filter }: cri.ListPodSandboxRequest): Promise<cri.ListPodSandboxResponse> {
    const items = this.#sandboxes
      .list()
      .map(sandboxSummary)
      .filter(one => matchesSandbox(filter, one))
    return { items }
  }

  async createContainer({
    podSandboxId,
    config,
    sandboxConfig,
  }: cri.CreateContainerRequest): Promise<cri.CreateContainerResponse> {
    this.#warmAttach()
    const sandbox = this.#sandboxes.get(podSandboxId)
    if (!sandbox.ready)
      throw new CriError(CRI_CODE.failedPrecondition, `sandbox ${podSandboxId} is not running`)
    checkContainerName(podSandboxId, config?.metadata, this.#containers.list().map(containerSummary))
    makeSources(config.mounts ?? [])
    checkPropagation(config.mounts ?? [])
    const { images } = this.#options
    const image = images.find(config.image?.image ?? '')
    if (!image) throw criNotFound('image', config.image?.image ?? '')
    const lowerDirs = images.lowerDirectories(image.id)
    const user = this.#specs.userOf(config, image.config.User ?? '', lowerDirs)
    const volumes = imageVolumesOf(config.mounts ?? [], images)
    const logDirectory = (sandboxConfig ?? sandbox.config).logDirectory ?? ''
    const appArmorProfile = await this.#appArmor.profileFor(config.linux?.securityContext)
    const userIds = userIdsOf(sandbox.config.linux?.securityContext?.namespaceOptions)
    const record = await this.#containers.create({
      sandboxId: podSandboxId,
      config,
      imageId: image.id,
      imageRef: image.repoDigests[0] ?? image.id,
      logPath: config.logPath && logDirectory ? join(logDirectory, config.logPath) : '/dev/null',
      stopSignal: stopSignalOf(config, image.config.StopSignal),
      lowerDirs,
      user: { uid: user.uid, gid: user.gid, supplementalGroups: user.groups },
      ...(volumes.length > 0 && { volumeImageIds: volumes.map(({ imageId }) => imageId) }),
      ...(userIds && {
        mapping: { ids: userIds, userNamespace: this.#options.dir.pod(podSandboxId, 'user') },
      }),
      spec: (id, bundle, rootfs, mapped) => {
        const mounted = withImageVolumes(config, bundle, volumes, mapped)
        return this.#specs.make(id, rootfs, {
          sandbox,
          config: mounted,
          image: image.config,
          user,
          mapped,
          appArmorProfile,
        })
      },
    })
    for (const { imageId } of [...volumes, { imageId: image.id }]) images.markUsed(imageId)
    return { containerId: record.id }
  }

  async startContainer({ containerId }: cri.StartContainerRequest): Promise<cri.StartContainerResponse> {
    await this.#containers.start(containerId)
    return {}
  }

  async stopContainer({
    containerId,
    timeout,
  }: cri.StopContainerRequest): Promise<cri.StopContainerResponse> {
    await this.#containers.stop(containerId, timeout ?? 0)
    return {}
  }

  async removeContainer({ containerId }: cri.RemoveContainerRequest): Promise<cri.RemoveContainerResponse> {
    await this.#containers.remove(containerId)
    this.#figures.forget(containerId)
    return {}
  }

  async listContainers({ filter }: cri.ListContainersRequest): Promise<cri.ListContainersResponse> {
    const containers = this.#containers
      .list()
      .map(containerSummary)
      .filter(one => matchesContainer(filter, one))
    return { containers }
  }

  async containerStatus({ containerId }: cri.ContainerStatusRequest): Promise<cri.ContainerStatusResponse> {
    return { status: containerStatus(this.#containers.get(containerId)), info: {} }
  }

  async updateContainerResources({
    containerId,
    linux,
  }: cri.UpdateContainerResourcesRequest): Promise<cri.UpdateContainerResourcesResponse> {
    this.#containers.get(containerId)
    const { choice, dir } = this.#options
    await updateResources(choice.path, dir.ociRoot, containerId, linux ?? {})
    this.#containers.rememberResources(containerId, linux ?? {})
    return {}
  }

  #requireRunning(containerId: string): void {
    const { state } = this.#containers.get(containerId)
    if (state !== 'CONTAINER_RUNNING')
      throw new CriError(CRI_CODE.failedPrecondition, `container ${containerId} is not running`)
  }

  /** conmon opens its log anew when told through its control fifo. */
  async reopenContainerLog({
    containerId,
  }: cri.ReopenContainerLogRequest): Promise<cri.ReopenContainerLogResponse> {
    this.#requireRunning(containerId)
    writeFileSync(this.#options.dir.bundle(containerId, 'ctl'), '2 0 0\n')
    return {}
  }

  async execSync({ containerId, cmd, timeout }: cri.ExecSyncRequest): Promise<cri.ExecSyncResponse> {
    this.#requireRunning(containerId)
    const { choice, dir, clock } = this.#options
    return execSync({
      runtime: choice.path,
      ociRoot: dir.ociRoot,
      execs: dir.execs,
      id: containerId,
      command: cmd ?? [],
      timeoutSeconds: timeout ?? 0,
      clock,
    })
  }

  async exec(request: cri.ExecRequest): Promise<cri.ExecResponse> {
    this.#requireRunning(request.containerId)
    return { url: this.#streaming.exec(request) }
  }

  async attach(request: cri.AttachRequest): Promise<cri.AttachResponse> {
    this.#requireRunning(request.containerId)
    return { url: this.#streaming.attach(request) }
  }

  async portForward({ podSandboxId }: cri.PortForwardRequest): Promise<cri.PortForwardResponse> {
    const { id, ready } = this.#sandboxes.get(podSandboxId)
    if (ready) return { url: this.#streaming.portForward(id) }
    throw new CriError(CRI_CODE.failedPrecondition, `sandbox container ${podSandboxId} is not running`)
  }

  getContainerEvents(
    _: cri.GetEventsRequest,
    signal: AbortSignal,
  ): AsyncIterable<cri.ContainerEventResponse> {
    return this.#events.listen(signal)
  }

  #containersOf(sandboxId: string): ContainerRecord[] {
    return this.#containers.list().filter(container => container.sandboxId === sandboxId)
  }

  #publish(containerEventType: cri.ContainerEventType, container: ContainerRecord): void {
    // What ends is often followed by the next container of the pod.
    if (containerEventType === 'CONTAINER_STOPPED_EVENT') this.#warmAttach()
    this.#tell(containerEventType, container.id, container.sandboxId)
  }

  /** `id` is a container's, or the sandbox's own. */
  #tell(containerEventType: cri.ContainerEventType, id: string, sandboxId: string): void {
    const sandbox = this.#sandboxes.find(sandboxId)
    this.#events.publish({
      containerId: id,
      containerEventType,
      createdAt: this.#options.clock.now() * 1e6,
      ...(sandbox && { podSandboxStatus: sandboxStatus(sandbox) }),
      containersStatuses: this.#containersOf(sandboxId).map(container => containerStatus(container)),
    })
  }
}

function stopSignalOf(config: cri.ContainerConfig, fromImage: string | undefined): string {
  if (config.stopSignal && config.stopSignal !== 'RUNTIME_DEFAULT') return config.stopSignal
  if (!fromImage) return 'SIGTERM'
  return /^\d+$/.test(fromImage) || fromImage.startsWith('SIG') ? fromImage : `SIG${fromImage}`
}
