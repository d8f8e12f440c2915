// The CRI's RuntimeService over sandboxes and containers of this machine.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type * as cri from '../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../cri/cri-error.ts'
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
import { watchExits } from './containers/exit-watch.ts'
import { newContainer } from './containers/new-container.ts'
import { updateResources } from './containers/update-resources.ts'
import type { ImageStore } from './images/image-store.ts'
import { PodNetwork } from './network/pod-network.ts'
import type { RuntimeChoice } from './probe.ts'
import { type Sandbox, SandboxStore, sandboxStatus, sandboxSummary } from './sandbox/sandbox-store.ts'
import { lackOfUserNamespaces } from './sandbox/user-namespace-support.ts'
import type { StateDir } from './state-dir.ts'
import { RuntimeStats } from './stats/runtime-stats.ts'
import { StatsService } from './stats/stats-service.ts'
import { CommandService } from './streaming/command-service.ts'

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
  readonly #figures: RuntimeStats
  /** The CRI's calls into what runs. */
  readonly commands: CommandService
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
    this.commands = new CommandService(this.#containers, this.#sandboxes, { dir, choice, clock, log })
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
    await this.commands.open()
    await this.#sandboxes.recover()
    await this.#containers.recover()
    this.#stopWatching = watchExits(this.#options.dir.exits, id => this.#containers.ended(id))
  }

  close(): void {
    this.#stopWatching()
    this.commands.close()
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

  async createContainer(request: cri.CreateContainerRequest): Promise<cri.CreateContainerResponse> {
    this.#warmAttach()
    const { podSandboxId, config } = request
    const sandbox = this.#sandboxes.get(podSandboxId)
    if (!sandbox.ready)
      throw new CriError(CRI_CODE.failedPrecondition, `sandbox ${podSandboxId} is not running`)
    checkContainerName(podSandboxId, config?.metadata, this.#containers.list().map(containerSummary))
    const { dir, images } = this.#options
    const parts = { dir, images, specs: this.#specs, appArmor: this.#appArmor }
    const wanted = await newContainer(request, sandbox, parts)
    const { id } = await this.#containers.create(wanted)
    for (const imageId of [...(wanted.volumeImageIds ?? []), wanted.imageId]) images.markUsed(imageId)
    return { containerId: id }
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

  /** conmon opens its log anew when told through its control fifo. */
  async reopenContainerLog({
    containerId,
  }: cri.ReopenContainerLogRequest): Promise<cri.ReopenContainerLogResponse> {
    this.#containers.getRunning(containerId)
    writeFileSync(this.#options.dir.bundle(containerId, 'ctl'), '2 0 0\n')
    return {}
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
