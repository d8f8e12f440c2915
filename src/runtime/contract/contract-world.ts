// What a runtime brings to the contract suite, and the words in which the suite speaks about containers.
import { existsSync, readFileSync } from 'node:fs'
import type {
  ContainerConfig,
  ContainerEventResponse,
  ContainerStatus,
  ImageService,
  NamespaceOption,
  PodSandboxConfig,
  RuntimeService,
} from '../cri/cri.generated.ts'
import { isCriNotFound } from '../cri/cri-error.ts'

/** What a container does. A world turns it into a command, or into a script of the fake. */
export interface Script {
  /** Written to stdout at the start, line by line. */
  prints?: readonly string[]
  /** Ends by itself after this time; absent: it runs until it is stopped. */
  exitAfterMs?: number
  exitCode?: number
  /** What it does when it is told to end; default: it ends with 143. */
  onTerm?: 'ignore' | { exitCode: number }
}

/** What a runtime may lack; tests of it are then not registered. */
export type Lack =
  | 'streaming'
  | 'events'
  | 'stopSignal'
  | 'stats'
  | 'runtimeConfig'
  | 'imageFilter'
  | 'userNamespaces'

export interface ContractWorld {
  readonly service: RuntimeService & ImageService
  /** An image that is there, with a shell at /bin/sh. */
  readonly image: string
  /** A folder for logs. */
  readonly logDirectory: string
  readonly cgroupParent: string
  /** How long, in seconds, a container that does not obey is waited for. */
  readonly graceSeconds: number
  /** The command (or whatever else) that makes a container of that name do as the script says. */
  scripted(name: string, script: Script): Partial<ContainerConfig>
  /** Waits for what only comes true when time passes. */
  settle<T>(promise: Promise<T>): Promise<T>
  /** Kills the runtime and starts it again; its containers go on. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** One pod of a test, with short ways to its containers. */
export class ContractPod {
  readonly world: ContractWorld
  readonly config: PodSandboxConfig
  id = ''

  constructor(world: ContractWorld, name: string, more: Partial<PodSandboxConfig> = {}) {
    this.world = world
    this.config = {
      metadata: { name, uid: `uid-${name}`, namespace: 'default', attempt: 0 },
      logDirectory: `${world.logDirectory}/${name}`,
      labels: { pod: name, suite: 'contract' },
      annotations: { note: 'kept' },
      linux: { cgroupParent: world.cgroupParent, securityContext: { namespaceOptions: NODE_NETWORK } },
      ...more,
    }
  }

  async run(): Promise<this> {
    this.id = (
      await this.world.service.runPodSandbox({ config: this.config, runtimeHandler: '' })
    ).podSandboxId
    return this
  }

  containerConfig(name: string, script: Script, more: Partial<ContainerConfig> = {}): ContainerConfig {
    return {
      metadata: { name, attempt: 0 },
      image: { image: this.world.image },
      logPath: `${name}/0.log`,
      labels: { container: name, pod: this.config.metadata.name },
      annotations: { hash: '1' },
      linux: { securityContext: { namespaceOptions: { ...NODE_NETWORK, pid: 'CONTAINER' } } },
      ...this.world.scripted(name, script),
      ...more,
    }
  }

  async create(name: string, script: Script = {}, more: Partial<ContainerConfig> = {}): Promise<string> {
    const config = this.containerConfig(name, script, more)
    const request = { podSandboxId: this.id, config, sandboxConfig: this.config }
    return (await this.world.service.createContainer(request)).containerId
  }

  async start(name: string, script: Script = {}, more: Partial<ContainerConfig> = {}): Promise<string> {
    const containerId = await this.create(name, script, more)
    await this.world.service.startContainer({ containerId })
    return containerId
  }

  /** As start, and the script is past its first line: it has said what it does with signals. */
  async startReady(name: string, script: Script = {}, more: Partial<ContainerConfig> = {}): Promise<string> {
    const id = await this.start(name, { prints: ['ready'], ...script }, more)
    const { logPath } = await this.status(id)
    await this.until(id, () => existsSync(logPath) && readFileSync(logPath, 'utf8').includes('ready'))
    return id
  }

  async status(containerId: string): Promise<ContainerStatus> {
    return (await this.world.service.containerStatus({ containerId, verbose: false })).status
  }

  /** The status once the container has ended. */
  async ended(containerId: string): Promise<ContainerStatus> {
    return this.until(containerId, ({ state }) => state === 'CONTAINER_EXITED')
  }

  /** Asks for the status until it is as wanted; the runtime's time goes on meanwhile. */
  async until(containerId: string, wanted: (status: ContainerStatus) => boolean): Promise<ContainerStatus> {
    for (let tries = 0; tries < 500; tries++) {
      const status = await this.status(containerId)
      if (wanted(status)) return status
      await this.world.settle(pause())
    }
    throw new Error(`never as wanted: ${JSON.stringify(await this.status(containerId))}`)
  }

  async stop(containerId: string, timeout = this.world.graceSeconds): Promise<ContainerStatus> {
    await this.world.settle(this.world.service.stopContainer({ containerId, timeout }))
    return this.status(containerId)
  }
}

/** Of a stop: some runtimes say so when there is nothing to stop, and the kubelet lives with both. */
export const goneIsFine = (error: unknown): void => {
  if (!isCriNotFound(error)) throw error
}

/** Most tests have no use for a network of their own, and making one takes its time. */
const NODE_NETWORK: NamespaceOption = { network: 'NODE', ipc: 'POD', pid: 'CONTAINER' }

export const pause = (ms = 10) => new Promise<void>(resolve => setTimeout(resolve, ms))

/** Collects events of one container from now on. */
export class EventCollector implements AsyncDisposable {
  readonly events: ContainerEventResponse[] = []
  readonly #abort = new AbortController()
  readonly #world: ContractWorld
  readonly #reading: Promise<void>

  constructor(world: ContractWorld) {
    this.#world = world
    this.#reading = this.#read()
  }

  async #read(): Promise<void> {
    const stream = this.#world.service.getContainerEvents({}, this.#abort.signal)
    for await (const event of stream) this.events.push(event)
  }

  typesOf(containerId: string): string[] {
    return this.events
      .filter(event => event.containerId === containerId)
      .map(event => event.containerEventType.replace(/^CONTAINER_|_EVENT$/g, ''))
  }

  async until(wanted: () => boolean): Promise<void> {
    for (let tries = 0; tries < 500 && !wanted(); tries++) await this.#world.settle(pause())
    if (!wanted()) throw new Error(`never came: ${JSON.stringify(this.events)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    await this.#reading.catch(() => {})
  }
}
