// Pod sandboxes: pinned namespaces, a shared memory file system, name resolution files, an address. No process.
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PassiveClock } from '../../../base/clock.ts'
import type { PodSandbox, PodSandboxConfig, PodSandboxStatus } from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError, criNotFound } from '../../cri/cri-error.ts'
import { removeMapped } from '../containers/mapped-files.ts'
import { loopbackUp, type PodNetwork } from '../network/pod-network.ts'
import type { RuntimeChoice } from '../probe.ts'
import { readStates, type StateDir, writeState } from '../state-dir.ts'
import { isAlive } from '../syscall/is-alive.ts'
import { MS, mount, setHostname, unmountIfMounted } from '../syscall/libc.ts'
import { inNamespace, inNewNamespaces, type NamespaceKind, pin, pinOf } from '../syscall/namespaces.ts'
import { removePause, startPause } from './pause.ts'
import { setSysctls } from './sysctls.ts'
import { makeUserNamespace, rootIds, type UserIds, userIdsOf } from './user-namespace.ts'

export interface Sandbox {
  id: string
  config: PodSandboxConfig
  runtimeHandler: string
  /** Nanoseconds since the epoch. */
  createdAt: number
  ready: boolean
  /** '' with the host's network. */
  ip: string
  /** The first process of the pod's own process namespace. */
  pausePid?: number
}

export interface SandboxStoreOptions {
  dir: StateDir
  network: PodNetwork
  clock: PassiveClock
  choice: RuntimeChoice
  /** The cgroup in which a sandbox's processes have theirs. */
  cgroupParent(config: PodSandboxConfig): string
}

const SHARED_MEMORY_BYTES = 64 * 1024 * 1024
const PINNED = ['net', 'ipc', 'uts'] as const

export class SandboxStore {
  readonly #options: SandboxStoreOptions
  readonly #dir: StateDir
  readonly #network: PodNetwork
  readonly #sandboxes = new Map<string, Sandbox>()

  constructor(options: SandboxStoreOptions) {
    this.#options = options
    this.#dir = options.dir
    this.#network = options.network
  }

  /** What an earlier runtime made is found again; what it did not finish is removed. To be called once, first. */
  async recover(): Promise<void> {
    const { states, broken } = readStates<Sandbox>(this.#dir.sandboxes)
    for (const sandbox of states) {
      this.#sandboxes.set(sandbox.id, sandbox)
      // After a restart of the machine nothing is there that could be found again.
      sandbox.ready &&= existsSync(this.#dir.pod(sandbox.id))
      const { id, ip, config, ready } = sandbox
      if (ip && ready) this.#network.restore(id, ip, config.portMappings ?? [])
    }
    await Promise.all(broken.map(id => this.#dismantle(id, '')))
  }

  async run(config: PodSandboxConfig, runtimeHandler: string): Promise<Sandbox> {
    const id = randomBytes(32).toString('hex')
    mkdirSync(this.#dir.sandbox(id), { mode: 0o700 })
    mkdirSync(this.#dir.pod(id), { mode: 0o711 })
    try {
      const ip = await this.#build(id, config)
      const pausePid = sharesProcesses(config) ? await this.#startPause(id, config) : undefined
      const sandbox: Sandbox = {
        id,
        config,
        runtimeHandler,
        createdAt: this.#options.clock.now() * 1e6,
        ready: true,
        ip,
        ...(pausePid && { pausePid }),
      }
      writeState(this.#dir.sandbox(id, 'state.json'), sandbox)
      this.#sandboxes.set(id, sandbox)
      return sandbox
    } catch (error) {
      await this.#dismantle(id, '')
      throw error
    }
  }

  async #startPause(id: string, config: PodSandboxConfig): Promise<number> {
    const { dir, choice, cgroupParent } = this.#options
    const joined = (type: string, kind: NamespaceKind | 'user') => {
      const path = dir.pod(id, kind)
      return existsSync(path) ? [{ type, path }] : []
    }
    const namespaces = [
      { type: 'pid' },
      ...joined('user', 'user'),
      ...joined('network', 'net'),
      ...joined('ipc', 'ipc'),
      ...joined('uts', 'uts'),
    ]
    const cgroupsPath = join(cgroupParent(config), id)
    const ids = userIdsOf(config.linux?.securityContext?.namespaceOptions)
    const pid = await startPause({ id, dir, choice, cgroupsPath, namespaces, ...(ids && { ids }) })
    pinOf(pid, 'pid', dir.pod(id, 'pid'))
    return pid
  }

  async #build(id: string, config: PodSandboxConfig): Promise<string> {
    const options = config.linux?.securityContext?.namespaceOptions
    const kinds = PINNED.filter(kind => !isHost(kind, options))
    const ids = userIdsOf(options)
    const nameHost = () => {
      if (kinds.includes('uts') && config.hostname) setHostname(config.hostname)
    }
    if (ids) {
      await makeUserNamespace(ids, kinds, kind => this.#dir.pod(id, kind))
      inNamespace('uts', this.#dir.pod(id, 'uts'), nameHost)
    } else {
      inNewNamespaces(kinds, () => {
        nameHost()
        for (const kind of kinds) pin(kind, this.#dir.pod(id, kind))
      })
    }
    if (kinds.includes('ipc')) mountSharedMemory(this.#dir.pod(id, 'shm'), ids)
    setSysctls(config.linux?.sysctls ?? {}, kind => kinds.includes(kind) && this.#dir.pod(id, kind))
    this.#writeFile(id, 'resolv.conf', resolvConf(config), ids)
    this.#writeFile(id, 'hostname', `${config.hostname ?? ''}\n`, ids)
    if (!kinds.includes('net')) return ''
    const namespace = this.#dir.pod(id, 'net')
    if (this.#network.isReady) return this.#network.attach(id, namespace, config.portMappings ?? [])
    loopbackUp(namespace)
    throw new CriError(CRI_CODE.failedPrecondition, 'the pod network is not ready: no address range was set')
  }

  /** It belongs to the pod's own root: not every kernel can map owners of files in memory. */
  #writeFile(id: string, name: string, text: string, ids: UserIds | undefined): void {
    const path = this.#dir.pod(id, name)
    writeFileSync(path, text, { mode: 0o644 })
    if (ids) chownSync(path, rootIds(ids).uid, rootIds(ids).gid)
  }

  get(id: string): Sandbox {
    const sandbox = this.find(id)
    if (!sandbox) throw criNotFound('sandbox', id)
    return sandbox
  }

  find(id: string): Sandbox | undefined {
    const sandbox = this.#sandboxes.get(id)
    // Without its first process, the processes' namespace is over.
    if (sandbox?.ready && sandbox.pausePid && !isAlive(sandbox.pausePid))
      // What of its network could not be removed now is removed with the sandbox.
      this.stop(id).catch(() => {})
    return sandbox
  }

  list(): Sandbox[] {
    return [...this.#sandboxes.keys()].map(id => this.find(id)!)
  }

  /**
   * The network goes, the rest stays until removal. It counts as stopped at once; resolves when its network is gone.
   * Stopping twice, or what is not there, is fine.
   */
  async stop(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox?.ready) return
    if (sandbox.pausePid && isAlive(sandbox.pausePid)) process.kill(sandbox.pausePid, 'SIGKILL')
    sandbox.ready = false
    writeState(this.#dir.sandbox(id, 'state.json'), sandbox)
    if (sandbox.ip) await this.#network.detach(id, sandbox.ip)
  }

  async remove(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox) return
    await this.stop(id)
    await this.#dismantle(id, '')
    this.#sandboxes.delete(id)
  }

  async #dismantle(id: string, ip: string): Promise<void> {
    const { dir, choice } = this.#options
    await removePause(id, dir, choice)
    await this.#network.detach(id, ip)
    removeMapped(dir.mapped(id))
    for (const mounted of [...PINNED, 'pid', 'shm', 'user']) unmountIfMounted(this.#dir.pod(id, mounted))
    for (const folder of [this.#dir.pod(id), this.#dir.sandbox(id)])
      rmSync(folder, { recursive: true, force: true })
  }
}

/** Whatever is written there belongs to the pod's own users from the start. */
function mountSharedMemory(folder: string, ids: UserIds | undefined): void {
  mkdirSync(folder)
  const owner = ids ? `,uid=${rootIds(ids).uid},gid=${rootIds(ids).gid}` : ''
  const options = `mode=1777,size=${SHARED_MEMORY_BYTES}${owner}`
  mount('shm', folder, 'tmpfs', MS.noSuid | MS.noDev | MS.noExec, options)
}

/** POD is what a protobuf message without the field means. */
function sharesProcesses({ linux }: PodSandboxConfig): boolean {
  const options = linux?.securityContext?.namespaceOptions
  return options !== undefined && (options.pid ?? 'POD') === 'POD'
}

function isHost(kind: NamespaceKind, options: { network?: string; ipc?: string } | undefined): boolean {
  // The host name belongs to the network: a pod on the host's network has the host's name.
  return kind === 'ipc' ? options?.ipc === 'NODE' : options?.network === 'NODE'
}

function resolvConf({ dnsConfig }: PodSandboxConfig): string {
  const lines = (dnsConfig?.servers ?? []).map(server => `nameserver ${server}`)
  if (dnsConfig?.searches?.length) lines.unshift(`search ${dnsConfig.searches.join(' ')}`)
  if (dnsConfig?.options?.length) lines.push(`options ${dnsConfig.options.join(' ')}`)
  return lines.length > 0 ? `${lines.join('\n')}\n` : ''
}

export function sandboxSummary(sandbox: Sandbox): PodSandbox {
  const { id, config, createdAt, ready, runtimeHandler } = sandbox
  return {
    id,
    metadata: config.metadata,
    state: ready ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    createdAt,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
    runtimeHandler,
  }
}

export function sandboxStatus(sandbox: Sandbox): PodSandboxStatus {
  const namespaceOptions = sandbox.config.linux?.securityContext?.namespaceOptions
  return {
    ...sandboxSummary(sandbox),
    network: { ip: sandbox.ready ? sandbox.ip : '', additionalIps: [] },
    linux: { namespaces: { options: namespaceOptions ?? {} } },
  }
}
