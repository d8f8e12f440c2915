// The CRI in memory with virtual time: sandboxes and containers are records, programs are scripts (container-program.ts).
// It passes the same contract suite as the runtimes of real containers; tests add failures and look at the calls.
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type * as cri from '../cri/cri.generated.ts'
import { CRI_CODE, CriError, criNotFound } from '../cri/cri-error.ts'
import { EventHub } from '../cri/event-hub.ts'
import { matchesContainer, matchesSandbox } from '../cri/list-filters.ts'
import { checkContainerName, checkSandboxName } from '../cri/reserved-names.ts'
import { asService, type Service } from './as-service.ts'
import type { ContainerProgram, Programs } from './container-program.ts'
import { FakeContainer } from './fake-container.ts'
import { FakeFigures } from './fake-figures.ts'
import { type FakeImage, FakeImages } from './fake-images.ts'
import { type FakeSandbox, fakeSandbox } from './fake-sandbox.ts'

export interface FakeRuntimeOptions {
  clock: Clock
  /** What is there at the start; 'all': every image asked for. */
  images?: readonly FakeImage[] | 'all'
  /** What containers do; without a program they run until they are stopped. */
  programs?: Programs
}

type Method = keyof Service

export class FakeRuntime {
  readonly sandboxes = new Map<string, FakeSandbox>()
  readonly containers = new Map<string, FakeContainer>()
  /** Programs by container name; they go before `programs` of the options. */
  readonly programs = new Map<string, ContainerProgram>()
  /** Method name with its subject, in the order of calls: 'startContainer init-a'. */
  readonly calls: string[] = []
  /** Thrown by the next calls of that method, one each. */
  readonly failures = new Map<Method, Error[]>()
  readonly images: FakeImages
  readonly #clock: Clock
  readonly #programs: Programs
  readonly #figures: FakeFigures
  #events = new EventHub()
  #streams = new AbortController()
  #made = 0

  constructor({ clock, images = [], programs = () => undefined }: FakeRuntimeOptions) {
    this.#clock = clock
    this.#programs = programs
    this.#figures = new FakeFigures(this.containers, clock)
    this.images = new FakeImages({
      clock,
      present: images,
      called: (method, name) => this.#called(method, name),
    })
  }

  /** As the interface that its users know; calls it has not are refused as a server refuses them. */
  get service(): Service {
    return asService(this, this.images, this.#figures)
  }

  /** The newest container of that name. */
  named(name: string): FakeContainer | undefined {
    return [...this.containers.values()].filter(one => one.config.metadata.name === name).at(-1)
  }

  running(): string[] {
    return [...this.containers.values()].filter(one => one.isRunning).map(one => one.config.metadata.name)
  }

  /** The container's process ends by itself. */
  exit(name: string, exitCode: number, reason?: string): void {
    const found = this.named(name)
    if (found?.isRunning) found.end(exitCode, reason)
  }

  /** As if the machine had lost the pods' sandboxes. */
  loseSandboxes(): void {
    for (const container of this.containers.values()) if (container.isRunning) container.end(137)
    for (const { status } of this.sandboxes.values()) status.state = 'SANDBOX_NOTREADY'
    for (const { status } of this.sandboxes.values()) this.#tell('CONTAINER_STOPPED_EVENT', status)
  }

  /** As if the runtime's process were killed and started again: streams of events end, containers go on. */
  restart(): void {
    this.#streams.abort()
    this.#streams = new AbortController()
    this.#events = new EventHub()
  }

  async version(): Promise<cri.VersionResponse> {
    return { version: '0.1.0', runtimeName: 'fake', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' }
  }

  async status(): Promise<cri.StatusResponse> {
    const condition = (type: string) => ({ type, status: true, reason: '', message: '' })
    const conditions = ['RuntimeReady', 'NetworkReady'].map(condition)
    return { status: { conditions }, info: {}, runtimeHandlers: [] }
  }

  async runtimeConfig(): Promise<cri.RuntimeConfigResponse> {
    return { linux: { cgroupDriver: 'CGROUPFS' } }
  }

  async updateRuntimeConfig(): Promise<cri.UpdateRuntimeConfigResponse> {
    return {}
  }

  async runPodSandbox({
    config,
    runtimeHandler,
  }: Partial<cri.RunPodSandboxRequest>): Promise<cri.RunPodSandboxResponse> {
    const present = [...this.sandboxes.values()].map(({ status }) => status)
    checkSandboxName(config?.metadata, present)
    if (runtimeHandler)
      throw new CriError(CRI_CODE.unknown, `no runtime for ${JSON.stringify(runtimeHandler)} is configured`)
    this.#called('runPodSandbox', config!.metadata.name)
    const id = `sandbox-${++this.#made}`
    const sandbox = fakeSandbox({
      id,
      config: config!,
      runtimeHandler: runtimeHandler ?? '',
      address: this.#address(),
      createdAt: this.#nanos(),
    })
    this.sandboxes.set(id, sandbox)
    this.#tell('CONTAINER_STARTED_EVENT', sandbox.status)
    return { podSandboxId: id }
  }

  #address(): string {
    return `10.244.${this.#made >> 8}.${(this.#made % 255) + 1}`
  }

  async stopPodSandbox({ podSandboxId }: cri.StopPodSandboxRequest): Promise<cri.StopPodSandboxResponse> {
    const found = this.sandboxes.get(podSandboxId)
    if (!found) return {}
    this.#called('stopPodSandbox', found.config.metadata.name)
    for (const container of this.#containersOf(podSandboxId)) if (container.isRunning) container.end(137)
    const wasReady = found.status.state === 'SANDBOX_READY'
    found.status.state = 'SANDBOX_NOTREADY'
    if (wasReady) this.#tell('CONTAINER_STOPPED_EVENT', found.status)
    return {}
  }

  async removePodSandbox({
    podSandboxId,
  }: cri.RemovePodSandboxRequest): Promise<cri.RemovePodSandboxResponse> {
    for (const { status } of this.#containersOf(podSandboxId)) this.#remove(status.id)
    this.sandboxes.delete(podSandboxId)
    return {}
  }

  async listPodSandbox({ filter }: cri.ListPodSandboxRequest): Promise<cri.ListPodSandboxResponse> {
    const items = [...this.sandboxes.values()].map(({ status }) => structuredClone(status))
    return { items: items.filter(item => matchesSandbox(filter, item)) }
  }

  async podSandboxStatus({
    podSandboxId,
  }: cri.PodSandboxStatusRequest): Promise<cri.PodSandboxStatusResponse> {
    const { status } = this.#sandbox(podSandboxId)
    const containersStatuses = this.#containersOf(podSandboxId).map(one => structuredClone(one.status))
    return { status: structuredClone(status), info: {}, containersStatuses, timestamp: this.#nanos() }
  }

  async createContainer(request: cri.CreateContainerRequest): Promise<cri.CreateContainerResponse> {
    const { podSandboxId, config, sandboxConfig } = request
    const sandbox = this.#sandbox(podSandboxId)
    if (sandbox.status.state !== 'SANDBOX_READY') throw notRunning('sandbox', podSandboxId)
    const present = [...this.containers.values()].map(one => ({ ...one.status, podSandboxId: one.sandboxId }))
    checkContainerName(podSandboxId, config?.metadata, present)
    this.#called('createContainer', config.metadata.name)
    const image = this.images.find(config.image?.image ?? '')
    if (!image) throw criNotFound('image', config.image?.image ?? '')
    const program = this.programs.get(config.metadata.name) ?? this.#programs(config) ?? {}
    if (program.failsToCreate) throw program.failsToCreate
    const folder = (sandboxConfig ?? sandbox.config).logDirectory ?? ''
    const container = new FakeContainer({
      id: `container-${++this.#made}`,
      sandboxId: podSandboxId,
      config,
      program,
      imageId: image.id,
      logPath: config.logPath ? join(folder, config.logPath) : '',
      clock: this.#clock,
      onEnd: one => this.#publish('CONTAINER_STOPPED_EVENT', one),
    })
    this.containers.set(container.status.id, container)
    this.#publish('CONTAINER_CREATED_EVENT', container)
    return { containerId: container.status.id }
  }

  async startContainer({ containerId }: cri.StartContainerRequest): Promise<cri.StartContainerResponse> {
    const container = this.#container(containerId)
    this.#called('startContainer', container.config.metadata.name)
    const { state } = container.status
    if (state !== 'CONTAINER_CREATED') {
      const words = `container ${containerId} is not in created state: ${state}`
      throw new CriError(CRI_CODE.failedPrecondition, words)
    }
    const { failsToStart } = container.program
    if (failsToStart) {
      container.failToStart(failsToStart)
      throw failsToStart
    }
    container.start()
    this.#publish('CONTAINER_STARTED_EVENT', container)
    return {}
  }

  async stopContainer({
    containerId,
    timeout,
  }: cri.StopContainerRequest): Promise<cri.StopContainerResponse> {
    const found = this.containers.get(containerId)
    if (!found) return {}
    this.#called('stopContainer', `${found.config.metadata.name} ${timeout}`)
    if (found.status.state === 'CONTAINER_CREATED') found.end(137)
    await found.stop((timeout ?? 0) * 1_000)
    return {}
  }

  async removeContainer({ containerId }: cri.RemoveContainerRequest): Promise<cri.RemoveContainerResponse> {
    const found = this.containers.get(containerId)
    if (found) this.#called('removeContainer', found.config.metadata.name)
    this.#remove(containerId)
    return {}
  }

  #remove(id: string): void {
    const found = this.containers.get(id)
    if (!found) return
    found.end(137)
    this.containers.delete(id)
    this.#publish('CONTAINER_DELETED_EVENT', found)
  }

  async listContainers({ filter }: cri.ListContainersRequest): Promise<cri.ListContainersResponse> {
    const containers = [...this.containers.values()].map(
      ({ status, sandboxId }): cri.Container => ({ ...structuredClone(status), podSandboxId: sandboxId }),
    )
    return { containers: containers.filter(one => matchesContainer(filter, one)) }
  }

  async containerStatus({ containerId }: cri.ContainerStatusRequest): Promise<cri.ContainerStatusResponse> {
    return { status: structuredClone(this.#container(containerId).status), info: {} }
  }

  async updateContainerResources({
    containerId,
    linux,
  }: cri.UpdateContainerResourcesRequest): Promise<cri.UpdateContainerResourcesResponse> {
    const { status, config } = this.#container(containerId)
    this.#called('updateContainerResources', config.metadata.name)
    status.resources = { linux: { ...status.resources?.linux, ...linux } }
    return {}
  }

  async reopenContainerLog({
    containerId,
  }: cri.ReopenContainerLogRequest): Promise<cri.ReopenContainerLogResponse> {
    this.#runningContainer(containerId).reopenLog()
    return {}
  }

  async execSync({ containerId, cmd, timeout }: cri.ExecSyncRequest): Promise<cri.ExecSyncResponse> {
    const { config, program } = this.#runningContainer(containerId)
    this.#called('execSync', `${config.metadata.name} ${cmd.join(' ')}`)
    const { takesMs = 0, ...result } = program.exec?.(cmd) ?? { exitCode: 0 }
    const tooLong = timeout > 0 && takesMs > timeout * 1_000
    await this.#clock.sleep(tooLong ? timeout * 1_000 : takesMs)
    if (tooLong) {
      const words = `command ${JSON.stringify(cmd)} timed out after ${timeout}s`
      throw new CriError(CRI_CODE.deadlineExceeded, words)
    }
    return { stdout: new Uint8Array(), stderr: new Uint8Array(), ...result }
  }

  getContainerEvents(
    _: cri.GetEventsRequest,
    signal: AbortSignal,
  ): AsyncIterable<cri.ContainerEventResponse> {
    return this.#events.listen(AbortSignal.any([signal, this.#streams.signal]))
  }

  #publish(type: cri.ContainerEventType, container: FakeContainer): void {
    const sandbox = this.sandboxes.get(container.sandboxId)
    if (sandbox) this.#tell(type, sandbox.status, container)
  }

  #tell(type: cri.ContainerEventType, status: cri.PodSandboxStatus, container?: FakeContainer): void {
    this.#events.publish({
      containerId: container?.status.id ?? status.id,
      containerEventType: type,
      createdAt: this.#nanos(),
      podSandboxStatus: structuredClone(status),
      containersStatuses: this.#containersOf(status.id).map(one => structuredClone(one.status)),
    })
  }

  #containersOf(sandboxId: string): FakeContainer[] {
    return [...this.containers.values()].filter(one => one.sandboxId === sandboxId)
  }

  #sandbox(id: string): FakeSandbox {
    const found = this.sandboxes.get(id)
    if (!found) throw criNotFound('sandbox', id)
    return found
  }

  #container(id: string): FakeContainer {
    const found = this.containers.get(id)
    if (!found) throw criNotFound('container', id)
    return found
  }

  #runningContainer(id: string): FakeContainer {
    const found = this.#container(id)
    if (!found.isRunning) throw notRunning('container', id)
    return found
  }

  #called(method: Method, subject: string): void {
    this.calls.push(`${method} ${subject}`)
    const failure = this.failures.get(method)?.shift()
    if (failure) throw failure
  }

  #nanos(): number {
    return this.#clock.now() * 1e6
  }
}

const notRunning = (what: string, id: string) =>
  new CriError(CRI_CODE.failedPrecondition, `${what} ${id} is not running`)
