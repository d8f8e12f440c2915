// Pod sandboxes: pinned namespaces, a shared memory file system, name resolution files, an address. No process.
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { PassiveClock } from '../../../base/clock.ts'
import type { PodSandbox, PodSandboxConfig, PodSandboxStatus } from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError, criNotFound } from '../../cri/cri-error.ts'
import { loopbackUp, type PodNetwork } from '../network/pod-network.ts'
import { readStates, type StateDir, writeState } from '../state-dir.ts'
import { MS, mount, setHostname, unmountIfMounted } from '../syscall/libc.ts'
import { inNamespace, inNewNamespaces, type NamespaceKind, pin } from '../syscall/namespaces.ts'

export interface Sandbox {
  id: string
  config: PodSandboxConfig
  runtimeHandler: string
  /** Nanoseconds since the epoch. */
  createdAt: number
  ready: boolean
  /** '' with the host's network. */
  ip: string
}

const SHARED_MEMORY_BYTES = 64 * 1024 * 1024
const PINNED: readonly NamespaceKind[] = ['net', 'ipc', 'uts']

export class SandboxStore {
  readonly #dir: StateDir
  readonly #network: PodNetwork
  readonly #clock: PassiveClock
  readonly #sandboxes = new Map<string, Sandbox>()

  constructor(dir: StateDir, network: PodNetwork, clock: PassiveClock) {
    this.#dir = dir
    this.#network = network
    this.#clock = clock
    this.#recover()
  }

  /** What an earlier runtime made is found again; what it did not finish is removed. */
  #recover(): void {
    const { states, broken } = readStates<Sandbox>(this.#dir.sandboxes)
    for (const sandbox of states) {
      this.#sandboxes.set(sandbox.id, sandbox)
      if (sandbox.ip) this.#network.restore(sandbox.id, sandbox.ip)
    }
    for (const id of broken) this.#dismantle(id, '')
  }

  run(config: PodSandboxConfig, runtimeHandler: string): Sandbox {
    const options = config.linux?.securityContext?.namespaceOptions
    if (options?.pid === 'POD') {
      throw new CriError(
        CRI_CODE.unimplemented,
        'sharing one process namespace in a pod is not supported by this runtime yet',
      )
    }
    const id = randomBytes(32).toString('hex')
    mkdirSync(this.#dir.sandbox(id), { mode: 0o711 })
    try {
      const ip = this.#build(id, config)
      const sandbox: Sandbox = {
        id,
        config,
        runtimeHandler,
        createdAt: this.#clock.now() * 1e6,
        ready: true,
        ip,
      }
      writeState(this.#dir.sandbox(id, 'state.json'), sandbox)
      this.#sandboxes.set(id, sandbox)
      return sandbox
    } catch (error) {
      this.#dismantle(id, '')
      throw error
    }
  }

  #build(id: string, config: PodSandboxConfig): string {
    const options = config.linux?.securityContext?.namespaceOptions
    const kinds = PINNED.filter(kind => !isHost(kind, options))
    inNewNamespaces(kinds, () => {
      if (kinds.includes('uts') && config.hostname) setHostname(config.hostname)
      for (const kind of kinds) pin(kind, this.#dir.sandbox(id, kind))
    })
    if (kinds.includes('ipc')) {
      const shm = this.#dir.sandbox(id, 'shm')
      mkdirSync(shm)
      mount('shm', shm, 'tmpfs', MS.noSuid | MS.noDev | MS.noExec, `mode=1777,size=${SHARED_MEMORY_BYTES}`)
    }
    writeFileSync(this.#dir.sandbox(id, 'resolv.conf'), resolvConf(config), { mode: 0o644 })
    writeFileSync(this.#dir.sandbox(id, 'hostname'), `${config.hostname ?? ''}\n`, { mode: 0o644 })
    if (!kinds.includes('net')) return ''
    const namespace = this.#dir.sandbox(id, 'net')
    this.#setSysctls(namespace, config.linux?.sysctls ?? {})
    if (this.#network.isReady) return this.#network.attach(id, namespace)
    loopbackUp(namespace)
    throw new CriError(CRI_CODE.failedPrecondition, 'the pod network is not ready: no address range was set')
  }

  #setSysctls(namespace: string, sysctls: Record<string, string>): void {
    const network = Object.entries(sysctls).filter(([name]) => name.startsWith('net.'))
    if (network.length === 0) return
    inNamespace('net', namespace, () => {
      for (const [name, value] of network) writeFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, value)
    })
  }

  get(id: string): Sandbox {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox) throw criNotFound('sandbox', id)
    return sandbox
  }

  find(id: string): Sandbox | undefined {
    return this.#sandboxes.get(id)
  }

  list(): Sandbox[] {
    return [...this.#sandboxes.values()]
  }

  /** The network goes, the rest stays until removal. Stopping twice, or what is not there, is fine. */
  stop(id: string): void {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox?.ready) return
    if (sandbox.ip) this.#network.detach(id, sandbox.ip)
    sandbox.ready = false
    writeState(this.#dir.sandbox(id, 'state.json'), sandbox)
  }

  remove(id: string): void {
    const sandbox = this.#sandboxes.get(id)
    if (!sandbox) return
    this.stop(id)
    this.#dismantle(id, '')
    this.#sandboxes.delete(id)
  }

  #dismantle(id: string, ip: string): void {
    this.#network.detach(id, ip)
    for (const mounted of [...PINNED, 'shm']) unmountIfMounted(this.#dir.sandbox(id, mounted))
    rmSync(this.#dir.sandbox(id), { recursive: true, force: true })
  }
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
