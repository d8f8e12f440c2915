// A runtime of containers that are only records: tests say what exits, when and how. It keeps CRI's promises about
// states, labels and events, and nothing else.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AsyncQueue } from '../../base/async-queue.ts'
import type { Clock } from '../../base/clock.ts'
import type {
  Container,
  ContainerConfig,
  ContainerEventResponse,
  ContainerStatus,
  Image,
  ImageService,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeService,
} from '../../runtime/cri/cri.generated.ts'

interface FakeSandbox {
  status: PodSandboxStatus
  config: PodSandboxConfig
}

interface FakeContainer {
  status: ContainerStatus
  config: ContainerConfig
  sandboxId: string
}

/** What a container does when it is started: exits with a code, or (undefined) keeps running. */
export type Behaviour = (attempt: number) => number | undefined

type Unused = { [name in keyof RuntimeService]: RuntimeService[name] } & ImageService

export class FakeCri {
  readonly sandboxes = new Map<string, FakeSandbox>()
  readonly containers = new Map<string, FakeContainer>()
  /** By container name. */
  readonly behaviours = new Map<string, Behaviour>()
  /** Method name with its subject, in the order of calls: 'startContainer init-a'. */
  readonly calls: string[] = []
  /** Thrown by the next calls of that method, one each. */
  readonly failures = new Map<keyof Unused, Error[]>()
  /** Images that are not there and cannot be pulled. */
  readonly missingImages = new Set<string>()
  /** Exit codes of commands run in containers, by their first word; default 0. */
  readonly commands = new Map<string, () => number>()
  /** How long (in clock time) a stop of that container takes; default none. */
  readonly stopMs = new Map<string, number>()
  readonly #clock: Clock
  readonly #events = new Set<AsyncQueue<ContainerEventResponse>>()
  #made = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The fake as the interface the kubelet uses. Methods it has not are not used by the kubelet. */
  get service(): RuntimeService & ImageService {
    return this as unknown as RuntimeService & ImageService
  }

  /** The newest container of that name. */
  named(name: string): FakeContainer | undefined {
    return [...this.containers.values()].filter(one => one.config.metadata.name === name).at(-1)
  }

  running(): string[] {
    return [...this.containers.values()]
      .filter(({ status }) => status.state === 'CONTAINER_RUNNING')
      .map(({ config }) => config.metadata.name)
  }

  /** The container's process ends by itself. */
  exit(name: string, exitCode: number): void {
    const found = this.named(name)
    if (found) this.#end(found, exitCode)
  }

  /** As if the machine had lost the pod's sandbox. */
  loseSandboxes(): void {
    for (const container of this.containers.values()) this.#end(container, 137)
    for (const { status } of this.sandboxes.values()) status.state = 'SANDBOX_NOTREADY'
    for (const { status } of this.sandboxes.values()) this.#tell(status)
  }

  async version() {
    return { version: '0.1.0', runtimeName: 'fake', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' }
  }

  async status() {
    const conditions = ['RuntimeReady', 'NetworkReady'].map(type => ({
      type,
      status: true,
      reason: '',
      message: '',
    }))
    return { status: { conditions }, info: {}, runtimeHandlers: [] }
  }

  async runPodSandbox({ config }: { config: PodSandboxConfig }) {
    this.#called('runPodSandbox', config.metadata.name)
    const id = `sandbox-${++this.#made}`
    const network = config.linux?.securityContext?.namespaceOptions?.network ?? 'POD'
    const status: PodSandboxStatus = {
      id,
      metadata: config.metadata,
      state: 'SANDBOX_READY',
      createdAt: this.#nanos(),
      network: { ip: network === 'NODE' ? '' : `10.244.0.${this.#made + 1}`, additionalIps: [] },
      linux: { namespaces: { options: { network } } },
      labels: config.labels ?? {},
      annotations: config.annotations ?? {},
      runtimeHandler: '',
    }
    this.sandboxes.set(id, { status, config })
    return { podSandboxId: id }
  }

  async stopPodSandbox({ podSandboxId }: { podSandboxId: string }) {
    const found = this.sandboxes.get(podSandboxId)
    if (!found) return {}
    this.#called('stopPodSandbox', found.config.metadata.name)
    for (const container of this.containers.values()) {
      if (container.sandboxId === podSandboxId) this.#end(container, 137)
    }
    found.status.state = 'SANDBOX_NOTREADY'
    return {}
  }

  async removePodSandbox({ podSandboxId }: { podSandboxId: string }) {
    this.sandboxes.delete(podSandboxId)
    return {}
  }

  async listPodSandbox({ filter }: { filter?: { labelSelector?: Record<string, string> } }) {
    const items = [...this.sandboxes.values()].map(({ status }) => ({ ...status }))
    return { items: items.filter(item => matches(item.labels, filter?.labelSelector)) }
  }

  async podSandboxStatus({ podSandboxId }: { podSandboxId: string }) {
    const found = this.sandboxes.get(podSandboxId)
    if (!found) throw notFound(podSandboxId)
    return { status: structuredClone(found.status), info: {}, containersStatuses: [], timestamp: 0 }
  }

  async createContainer(request: {
    podSandboxId: string
    config: ContainerConfig
    sandboxConfig: PodSandboxConfig
  }) {
    const { podSandboxId, config, sandboxConfig } = request
    this.#called('createContainer', config.metadata.name)
    const id = `container-${++this.#made}`
    const logPath = join(sandboxConfig.logDirectory ?? '', config.logPath ?? '')
    mkdirSync(dirname(logPath), { recursive: true })
    writeFileSync(logPath, '')
    const status: ContainerStatus = {
      id,
      metadata: config.metadata,
      state: 'CONTAINER_CREATED',
      createdAt: this.#nanos(),
      startedAt: 0,
      finishedAt: 0,
      exitCode: 0,
      image: { image: config.image.userSpecifiedImage ?? config.image.image },
      imageRef: `sha256:${config.image.image}`,
      reason: '',
      message: '',
      labels: config.labels ?? {},
      annotations: config.annotations ?? {},
      mounts: config.mounts ?? [],
      logPath,
      imageId: '',
      stopSignal: 'SIGTERM',
    }
    this.containers.set(id, { status, config, sandboxId: podSandboxId })
    return { containerId: id }
  }

  async startContainer({ containerId }: { containerId: string }) {
    const found = this.containers.get(containerId)
    if (!found) throw notFound(containerId)
    this.#called('startContainer', found.config.metadata.name)
    found.status.state = 'CONTAINER_RUNNING'
    found.status.startedAt = this.#nanos()
    const { name, attempt } = found.config.metadata
    const exitCode = this.behaviours.get(name)?.(attempt)
    if (exitCode !== undefined) setImmediate(() => this.#end(found, exitCode))
    return {}
  }

  async stopContainer({ containerId, timeout }: { containerId: string; timeout: number }) {
    const found = this.containers.get(containerId)
    if (!found) throw notFound(containerId)
    const { name } = found.config.metadata
    this.#called('stopContainer', `${name} ${timeout}`)
    const takes = this.stopMs.get(name) ?? 0
    if (takes > 0) await this.#clock.sleep(Math.min(takes, timeout * 1000))
    this.#end(found, takes > timeout * 1000 ? 137 : 143)
    return {}
  }

  async removeContainer({ containerId }: { containerId: string }) {
    const found = this.containers.get(containerId)
    if (found) this.#called('removeContainer', found.config.metadata.name)
    this.containers.delete(containerId)
    return {}
  }

  async listContainers({ filter }: { filter?: { labelSelector?: Record<string, string> } }) {
    const containers = [...this.containers.values()]
      .filter(({ status }) => matches(status.labels, filter?.labelSelector))
      .map(({ status, sandboxId }): Container => ({ ...status, podSandboxId: sandboxId }))
    return { containers }
  }

  async containerStatus({ containerId }: { containerId: string }) {
    const found = this.containers.get(containerId)
    if (!found) throw notFound(containerId)
    return { status: structuredClone(found.status), info: {} }
  }

  async execSync({ containerId, cmd }: { containerId: string; cmd: string[] }) {
    const found = this.containers.get(containerId)
    this.#called('execSync', `${found?.config.metadata.name} ${cmd.join(' ')}`)
    const exitCode = this.commands.get(cmd[0]!)?.() ?? (cmd[0] === '/bin/false' ? 1 : 0)
    return { stdout: new Uint8Array(), stderr: new Uint8Array(), exitCode }
  }

  getContainerEvents(_request: object, signal: AbortSignal): AsyncIterable<ContainerEventResponse> {
    const queue = new AsyncQueue<ContainerEventResponse>(() => this.#events.delete(queue))
    this.#events.add(queue)
    signal.addEventListener('abort', () => queue.close(), { once: true })
    return queue
  }

  async listImages() {
    return { images: [] }
  }

  async imageStatus({
    image,
  }: {
    image: { image: string }
  }): Promise<{ image?: Image; info: Record<string, string> }> {
    if (this.missingImages.has(image.image)) return { info: {} }
    const found = {
      id: image.image,
      repoTags: [image.image],
      repoDigests: [],
      size: 1234,
      username: '',
      pinned: false,
    }
    return { image: found, info: {} }
  }

  async pullImage({ image }: { image: { image: string } }) {
    this.#called('pullImage', image.image)
    if (this.missingImages.has(image.image)) throw new Error(`manifest for ${image.image} not found: 404`)
    return { imageRef: image.image }
  }

  #end(container: FakeContainer, exitCode: number): void {
    const { status } = container
    if (status.state !== 'CONTAINER_RUNNING') return
    status.state = 'CONTAINER_EXITED'
    status.exitCode = exitCode
    status.reason = exitCode === 0 ? 'Completed' : 'Error'
    status.finishedAt = this.#nanos()
    const sandbox = this.sandboxes.get(container.sandboxId)
    if (sandbox) this.#tell(sandbox.status, container)
  }

  #tell(podSandboxStatus: PodSandboxStatus, container?: FakeContainer): void {
    for (const queue of this.#events) {
      queue.push({
        containerId: container?.status.id ?? podSandboxStatus.id,
        containerEventType: 'CONTAINER_STOPPED_EVENT',
        createdAt: this.#nanos(),
        podSandboxStatus: structuredClone(podSandboxStatus),
        containersStatuses: [],
      })
    }
  }

  #called(method: keyof Unused, subject: string): void {
    this.calls.push(`${method} ${subject}`)
    const failure = this.failures.get(method)?.shift()
    if (failure) throw failure
  }

  #nanos(): number {
    return this.#clock.now() * 1_000_000
  }
}

function notFound(id: string): Error {
  return Object.assign(new Error(`${id} not found`), { code: 5 })
}

function matches(labels: Record<string, string>, selector: Record<string, string> = {}): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}
