// The CRI's RuntimeService over sandboxes and containers of this machine.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type * as cri from '../cri/cri.generated.ts'
import { CRI_CODE, CriError, criNotFound } from '../cri/cri-error.ts'
import { EventHub } from '../cri/event-hub.ts'
import { matchesContainer, matchesSandbox } from '../cri/list-filters.ts'
import { checkContainerName, checkSandboxName } from '../cri/reserved-names.ts'
import { attachWarmer } from './cgroup/warm-attach.ts'
import { type ContainerRecord, ContainerStore } from './containers/container-store.ts'
import { execSync, execUnimplemented } from './containers/exec-sync.ts'
import { watchExits } from './containers/exit-watch.ts'
import { ociSpec } from './containers/oci-spec.ts'
import { compiledFilter } from './containers/seccomp-filter.ts'
import { resolveUser } from './containers/user.ts'
import type { ImageStore } from './images/image-store.ts'
import { formatReference, parseReference } from './images/reference.ts'
import { PodNetwork } from './network/pod-network.ts'
import type { RuntimeChoice } from './probe.ts'
import { type Sandbox, SandboxStore, sandboxStatus, sandboxSummary } from './sandbox/sandbox-store.ts'
import type { StateDir } from './state-dir.ts'

const run = promisify(execFile)

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
  | 'version'
  | 'status'
  | 'runtimeConfig'
  | 'updateRuntimeConfig'
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

const RUNTIME_NAME = 'kubernode'

export class NativeRuntime implements Service {
  readonly #options: NativeRuntimeOptions
  readonly #events = new EventHub()
  readonly #network: PodNetwork
  readonly #sandboxes: SandboxStore
  readonly #containers: ContainerStore
  readonly #bounding: bigint
  readonly #ownOomScore: number
  readonly #warmAttach = attachWarmer()
  #stopWatching = () => {}

  constructor(options: NativeRuntimeOptions) {
    this.#options = options
    const { name, dir, clock, log, choice } = options
    this.#network = new PodNetwork(name)
    this.#sandboxes = new SandboxStore(dir, this.#network, clock)
    this.#containers = new ContainerStore({
      dir,
      clock,
      log,
      runtime: choice.path,
      isRunc: choice.kind === 'runc',
      onEvent: (type, container) => this.#publish(type, container),
    })
    this.#bounding = BigInt(`0x${/CapBnd:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]}`)
    this.#ownOomScore = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  }

  /** Finds what an earlier runtime left and watches for ends from then on. */
  async open(): Promise<void> {
    await this.#containers.recover()
    this.#stopWatching = watchExits(this.#options.dir.exits, id => this.#containers.ended(id))
  }

  close(): void {
    this.#stopWatching()
  }

  /** Ids of containers made from an image. */
  containersUsing(imageId: string): string[] {
    return this.#containers
      .list()
      .filter(container => container.imageId === imageId)
      .map(({ id }) => id)
  }

  async version(): Promise<cri.VersionResponse> {
    return { version: '0.1.0', runtimeName: RUNTIME_NAME, runtimeVersion: '0.1.0', runtimeApiVersion: 'v1' }
  }

  async status(): Promise<cri.StatusResponse> {
    const ready = this.#network.isReady
    const network = {
      type: 'NetworkReady',
      status: ready,
      reason: ready ? '' : 'NoPodCidr',
      message: ready ? '' : 'no pod address range was set',
    }
    const conditions = [{ type: 'RuntimeReady', status: true, reason: '', message: '' }, network]
    return { status: { conditions }, info: {} } as unknown as cri.StatusResponse
  }

  async runtimeConfig(): Promise<cri.RuntimeConfigResponse> {
    return { linux: { cgroupDriver: 'CGROUPFS' } }
  }

  async updateRuntimeConfig({
    runtimeConfig,
  }: cri.UpdateRuntimeConfigRequest): Promise<cri.UpdateRuntimeConfigResponse> {
    const podCidr = runtimeConfig?.networkConfig?.podCidr
    if (podCidr) this.#network.configure(podCidr)
    return {}
  }

  async runPodSandbox({
    config,
    runtimeHandler,
  }: cri.RunPodSandboxRequest): Promise<cri.RunPodSandboxResponse> {
    this.#warmAttach()
    checkSandboxName(config?.metadata, this.#sandboxes.list().map(sandboxSummary))
    return { podSandboxId: this.#sandboxes.run(config, runtimeHandler ?? '').id }
  }

  async stopPodSandbox({ podSandboxId }: cri.StopPodSandboxRequest): Promise<cri.StopPodSandboxResponse> {
    await Promise.all(this.#containersOf(podSandboxId).map(({ id }) => this.#containers.stop(id, 0)))
    this.#sandboxes.stop(podSandboxId)
    return {}
  }

  async removePodSandbox({
    podSandboxId,
  }: cri.RemovePodSandboxRequest): Promise<cri.RemovePodSandboxResponse> {
    await Promise.all(this.#containersOf(podSandboxId).map(({ id }) => this.#containers.remove(id)))
    this.#sandboxes.remove(podSandboxId)
    return {}
  }

  async podSandboxStatus({
    podSandboxId,
  }: cri.PodSandboxStatusRequest): Promise<cri.PodSandboxStatusResponse> {
    const sandbox = this.#sandboxes.get(podSandboxId)
    const containersStatuses = this.#containersOf(podSandboxId).map(container => this.#statusOf(container))
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
    checkContainerName(podSandboxId, config?.metadata, this.#containers.list().map(summaryOf))
    const { images } = this.#options
    const image = images.find(config.image?.image ?? '')
    if (!image) throw criNotFound('image', config.image?.image ?? '')
    const lowerDirs = images.lowerDirectories(image.id)
    const logDirectory = (sandboxConfig ?? sandbox.config).logDirectory ?? ''
    const record = await this.#containers.create({
      sandboxId: podSandboxId,
      config,
      imageId: image.id,
      imageRef: image.repoDigests[0] ?? image.id,
      logPath: config.logPath && logDirectory ? join(logDirectory, config.logPath) : '/dev/null',
      stopSignal: stopSignalOf(config, image.config.StopSignal),
      lowerDirs,
      spec: (id, rootfs) => this.#spec(id, rootfs, sandbox, config, image.config, lowerDirs),
    })
    images.markUsed(image.id)
    return { containerId: record.id }
  }

  #spec(
    id: string,
    rootfs: string,
    sandbox: Sandbox,
    config: cri.ContainerConfig,
    image: Parameters<typeof ociSpec>[0]['image'],
    layers: readonly string[],
  ): object {
    const { name, dir } = this.#options
    const security = config.linux?.securityContext
    const options = security?.namespaceOptions ?? sandbox.config.linux?.securityContext?.namespaceOptions
    const pinned = (kind: string) =>
      existsSync(dir.sandbox(sandbox.id, kind)) ? dir.sandbox(sandbox.id, kind) : undefined
    const [net, ipc, uts, shm] = [pinned('net'), pinned('ipc'), pinned('uts'), pinned('shm')]
    const parent = sandbox.config.linux?.cgroupParent || `/${name}/kubepods`
    const profile =
      security?.seccomp?.profileType === 'Localhost'
        ? readProfile(security.seccomp.localhostRef ?? '')
        : undefined
    return ociSpec({
      id,
      config,
      image,
      rootfs,
      user: this.#userOf(config, image.User ?? '', layers),
      namespaces: {
        ...(net && { net }),
        ...(ipc && { ipc }),
        ...(uts && { uts }),
        ...this.#targetNamespace(options),
      },
      hostPid: options?.pid === 'NODE',
      files: {
        resolvConf: dir.sandbox(sandbox.id, 'resolv.conf'),
        hostname: dir.sandbox(sandbox.id, 'hostname'),
        ...(shm && { shm }),
      },
      cgroupsPath: join(parent, id),
      bounding: this.#bounding,
      mayLowerOomScore: ((this.#bounding >> 24n) & 1n) === 1n,
      ownOomScore: this.#ownOomScore,
      sysctls: sandbox.config.linux?.sysctls ?? {},
      ...(profile && { localSeccomp: profile }),
      ...(this.#options.choice.kind === 'crun' && { compileSeccomp: compiledFilter }),
    })
  }

  /** An ephemeral container may look into another one's processes. */
  #targetNamespace(options: cri.NamespaceOption | undefined): { pid?: string } {
    if (options?.pid !== 'TARGET') return {}
    const target = this.#containers.get(options.targetId ?? '')
    if (target.state !== 'CONTAINER_RUNNING') {
      throw new CriError(CRI_CODE.failedPrecondition, `target container ${target.id} is not running`)
    }
    return { pid: `/proc/${target.pid}/ns/pid` }
  }

  #userOf(config: cri.ContainerConfig, imageUser: string, layers: readonly string[]) {
    const security = config.linux?.securityContext
    const wanted = security?.runAsUser
      ? String(security.runAsUser.value ?? 0)
      : security?.runAsUsername || imageUser.split(':')[0]!
    const own = !security?.runAsUser && !security?.runAsUsername
    const group = security?.runAsGroup
      ? String(security.runAsGroup.value ?? 0)
      : own
        ? imageUser.split(':')[1]
        : undefined
    return resolveUser(group === undefined ? wanted : `${wanted}:${group}`, layers)
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
    return {}
  }

  async listContainers({ filter }: cri.ListContainersRequest): Promise<cri.ListContainersResponse> {
    const containers = this.#containers
      .list()
      .map(summaryOf)
      .filter(one => matchesContainer(filter, one))
    return { containers }
  }

  async containerStatus({ containerId }: cri.ContainerStatusRequest): Promise<cri.ContainerStatusResponse> {
    return { status: this.#statusOf(this.#containers.get(containerId)), info: {} }
  }

  async updateContainerResources({
    containerId,
    linux,
  }: cri.UpdateContainerResourcesRequest): Promise<cri.UpdateContainerResourcesResponse> {
    this.#containers.get(containerId)
    const flags: [string, number | string | undefined][] = [
      ['--cpu-period', linux?.cpuPeriod],
      ['--cpu-quota', linux?.cpuQuota],
      ['--cpu-share', linux?.cpuShares],
      ['--memory', linux?.memoryLimitInBytes],
      ['--memory-swap', linux?.memorySwapLimitInBytes || linux?.memoryLimitInBytes],
      ['--cpuset-cpus', linux?.cpusetCpus],
      ['--cpuset-mems', linux?.cpusetMems],
    ]
    const args = flags.flatMap(([flag, value]) => (value ? [flag, String(value)] : []))
    const { choice, dir } = this.#options
    if (args.length > 0) await run(choice.path, [`--root=${dir.ociRoot}`, 'update', ...args, containerId])
    this.#containers.rememberResources(containerId, linux ?? {})
    return {}
  }

  /** conmon opens its log anew when told through its control fifo. */
  async reopenContainerLog({
    containerId,
  }: cri.ReopenContainerLogRequest): Promise<cri.ReopenContainerLogResponse> {
    const { state } = this.#containers.get(containerId)
    if (state !== 'CONTAINER_RUNNING')
      throw new CriError(CRI_CODE.failedPrecondition, `container ${containerId} is not running`)
    writeFileSync(this.#options.dir.container(containerId, 'ctl'), '2 0 0\n')
    return {}
  }

  async execSync({ containerId, cmd, timeout }: cri.ExecSyncRequest): Promise<cri.ExecSyncResponse> {
    const { state } = this.#containers.get(containerId)
    if (state !== 'CONTAINER_RUNNING')
      throw new CriError(CRI_CODE.failedPrecondition, `container ${containerId} is not running`)
    const { choice, dir, clock } = this.#options
    return execSync({
      runtime: choice.path,
      ociRoot: dir.ociRoot,
      id: containerId,
      command: cmd ?? [],
      timeoutSeconds: timeout ?? 0,
      clock,
    })
  }

  exec(): Promise<cri.ExecResponse> {
    return Promise.reject(execUnimplemented('exec'))
  }

  attach(): Promise<cri.AttachResponse> {
    return Promise.reject(execUnimplemented('attach'))
  }

  portForward(): Promise<cri.PortForwardResponse> {
    return Promise.reject(execUnimplemented('port-forward'))
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
    const sandbox = this.#sandboxes.find(container.sandboxId)
    this.#events.publish({
      containerId: container.id,
      containerEventType,
      createdAt: this.#options.clock.now() * 1e6,
      ...(sandbox && { podSandboxStatus: sandboxStatus(sandbox) }),
      containersStatuses: this.#containersOf(container.sandboxId).map(other => this.#statusOf(other)),
    })
  }

  #statusOf(container: ContainerRecord): cri.ContainerStatus {
    const { config, createdAt, startedAt, finishedAt, exitCode, reason, message, logPath } = container
    const resources = config.linux?.resources
    return {
      ...summaryOf(container),
      startedAt,
      finishedAt,
      exitCode,
      reason,
      message,
      logPath,
      mounts: config.mounts ?? [],
      createdAt,
      ...(resources && { resources: { linux: resources } }),
      stopSignal: container.stopSignal as cri.Signal,
    }
  }
}

function summaryOf({
  id,
  sandboxId,
  config,
  imageId,
  imageRef,
  state,
  createdAt,
}: ContainerRecord): cri.Container {
  return {
    id,
    podSandboxId: sandboxId,
    metadata: config.metadata,
    image: shownImage(config.image),
    imageRef,
    imageId,
    state,
    createdAt,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
  }
}

/** The name that the container was asked for, in full, as containerd shows it; an id when that is no name. */
function shownImage({ image, userSpecifiedImage }: cri.ImageSpec): cri.ImageSpec {
  const wanted = userSpecifiedImage || image
  try {
    return { image: formatReference(parseReference(wanted)) }
  } catch {
    return { image: wanted }
  }
}

function stopSignalOf(config: cri.ContainerConfig, fromImage: string | undefined): string {
  if (config.stopSignal && config.stopSignal !== 'RUNTIME_DEFAULT') return config.stopSignal
  if (!fromImage) return 'SIGTERM'
  return /^\d+$/.test(fromImage) || fromImage.startsWith('SIG') ? fromImage : `SIG${fromImage}`
}

function readProfile(reference: string): object {
  if (!isAbsolute(reference))
    throw new CriError(CRI_CODE.invalidArgument, `the seccomp profile ${reference} is not an absolute path`)
  return JSON.parse(readFileSync(reference, 'utf8')) as object
}
