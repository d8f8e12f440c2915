// Makes, limits and removes the cgroups of pods: cgroup v1, hybrid and v2. Where they cannot be written, pods run
// without limits of their own and one warning says so.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { qosClass } from '../../api/pod/qos.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Log } from '../../base/log.ts'
import { CPU_PERIOD_US } from '../containers/linux-resources.ts'
import { type CgroupLimits, podCgroupLimits, podCgroupPath } from './pod-cgroup-limits.ts'

export interface PodCgroups {
  /** Makes the pod's cgroup; answers its path for the sandbox ('' when there is none). */
  ensure(pod: Pod): string
  /** Its path, whether or not it is there; '' where pods have none. */
  pathOf(pod: Pod): string
  /** Raises its limits to what the pod needs now, and lowers none: before its containers grow. */
  widen(pod: Pod): void
  /** Removes it; what runs in it must have ended. */
  remove(uid: string): void
  /** UIDs of pods that have a cgroup. */
  uids(): string[]
}

export const noCgroups: PodCgroups = {
  ensure: () => '',
  pathOf: () => '',
  widen: () => {},
  remove: () => {},
  uids: () => [],
}

const MOUNT = '/sys/fs/cgroup'
const V1_CONTROLLERS = ['cpu', 'memory', 'pids', 'cpuset', 'devices', 'freezer', 'blkio', 'cpuacct'] as const

export const hasUnifiedCgroups = (): boolean => existsSync(join(MOUNT, 'cgroup.controllers'))

/** `root` is the cluster's own: '/kubernode'. `podPidsLimit` is the most processes of one pod; 0 is no limit. */
export function systemCgroups(root: string, log: Log, podPidsLimit = 0): PodCgroups {
  const hierarchy = hasUnifiedCgroups() ? new Unified(root) : new Separate(root)
  try {
    hierarchy.make(`${root}/kubepods`, { cpuShares: 1024 })
  } catch (error) {
    log.warn({ error }, 'cgroups are not writable: pods run without resource limits of their own')
    return noCgroups
  }
  for (const qos of ['burstable', 'besteffort']) hierarchy.make(`${root}/kubepods/${qos}`, { cpuShares: 2 })
  const burstable = new BurstableShares(cpuShares =>
    hierarchy.make(`${root}/kubepods/burstable`, { cpuShares }),
  )
  /** By path: the limits it was given. */
  const made = new Map<string, string>()
  return {
    ensure: pod => {
      const path = podCgroupPath(root, pod)
      const limits = { ...podCgroupLimits(pod), ...(podPidsLimit > 0 && { pids: podPidsLimit }) }
      const wanted = JSON.stringify(limits)
      // Asked for each container that starts, and made with a dozen files.
      if (made.get(path) === wanted && hierarchy.has(path)) return path
      hierarchy.make(path, limits)
      made.set(path, wanted)
      burstable.add(pod)
      return path
    },
    pathOf: pod => podCgroupPath(root, pod),
    widen: pod => {
      const path = podCgroupPath(root, pod)
      made.delete(path)
      hierarchy.make(path, widest(podCgroupLimits(pod), hierarchy.limits(path)))
    },
    remove: uid => {
      burstable.remove(uid)
      for (const qos of ['', '/burstable', '/besteffort']) {
        const path = `${root}/kubepods${qos}/pod${uid}`
        made.delete(path)
        hierarchy.remove(path)
      }
    },
    uids: () => ['', '/burstable', '/besteffort'].flatMap(qos => hierarchy.pods(`${root}/kubepods${qos}`)),
  }
}

/** All burstable pods together weigh as much as what they ask for. Upstream: qos_container_manager_linux.go. */
class BurstableShares {
  readonly #shares = new Map<string, number>()
  readonly #write: (cpuShares: number) => void

  constructor(write: (cpuShares: number) => void) {
    this.#write = write
  }

  add(pod: Pod): void {
    if (qosClass(pod.spec) !== 'Burstable') return
    const { cpuShares } = podCgroupLimits(pod)
    if (this.#shares.get(pod.metadata.uid) === cpuShares) return
    this.#shares.set(pod.metadata.uid, cpuShares)
    this.#write(this.#sum())
  }

  remove(uid: string): void {
    if (this.#shares.delete(uid)) this.#write(this.#sum())
  }

  #sum(): number {
    return Math.max(
      2,
      [...this.#shares.values()].reduce((sum, shares) => sum + shares, 0),
    )
  }
}

interface Hierarchy {
  make(path: string, limits: CgroupLimits): void
  has(path: string): boolean
  /** What is in force; a field without a limit is left out. */
  limits(path: string): Omit<CgroupLimits, 'cpuShares'>
  remove(path: string): void
  pods(path: string): string[]
}

class Unified implements Hierarchy {
  constructor(root: string) {
    mkdirSync(join(MOUNT, root), { recursive: true })
  }

  make(path: string, { cpuShares, cpuQuota, memoryBytes, pids }: CgroupLimits): void {
    const dir = join(MOUNT, path)
    enableControllers(dirname(dir))
    mkdirSync(dir, { recursive: true })
    // The kernel's weight runs from 1 to 10,000 where shares run from 2 to 262,144.
    write(join(dir, 'cpu.weight'), String(1 + Math.floor(((cpuShares - 2) * 9999) / 262_142)))
    if (cpuQuota !== undefined) write(join(dir, 'cpu.max'), `${cpuQuota} ${CPU_PERIOD_US}`)
    if (memoryBytes !== undefined) write(join(dir, 'memory.max'), String(memoryBytes))
    if (pids !== undefined) write(join(dir, 'pids.max'), String(pids))
  }

  has(path: string): boolean {
    return existsSync(join(MOUNT, path))
  }

  limits(path: string): Omit<CgroupLimits, 'cpuShares'> {
    const dir = join(MOUNT, path)
    return limitsOf(amount(join(dir, 'cpu.max')), amount(join(dir, 'memory.max')))
  }

  remove(path: string): void {
    removeTree(join(MOUNT, path))
  }

  pods(path: string): string[] {
    return podsIn(join(MOUNT, path))
  }
}

function enableControllers(parent: string): void {
  if (parent.length < MOUNT.length) return
  if (parent !== MOUNT) enableControllers(dirname(parent))
  mkdirSync(parent, { recursive: true })
  const available = readFileSync(join(parent, 'cgroup.controllers'), 'utf8').trim().split(/\s+/)
  const enabled = readFileSync(join(parent, 'cgroup.subtree_control'), 'utf8')
  for (const controller of available.filter(name => name && !enabled.includes(name))) {
    write(join(parent, 'cgroup.subtree_control'), `+${controller}`, true)
  }
}

class Separate implements Hierarchy {
  readonly #controllers: string[]

  constructor(_root: string) {
    this.#controllers = V1_CONTROLLERS.filter(name => existsSync(join(MOUNT, name)))
    if (this.#controllers.length === 0) throw new Error(`no cgroup controllers under ${MOUNT}`)
  }

  make(path: string, { cpuShares, cpuQuota, memoryBytes, pids }: CgroupLimits): void {
    for (const controller of this.#controllers) {
      const dir = join(MOUNT, controller, path)
      mkdirSync(dir, { recursive: true })
      if (controller === 'cpuset') inheritCpuset(dir)
    }
    const file = (controller: string, name: string) => join(MOUNT, controller, path, name)
    write(file('cpu', 'cpu.shares'), String(cpuShares), true)
    if (cpuQuota !== undefined) {
      write(file('cpu', 'cpu.cfs_period_us'), String(CPU_PERIOD_US), true)
      write(file('cpu', 'cpu.cfs_quota_us'), String(cpuQuota), true)
    }
    if (memoryBytes !== undefined) write(file('memory', 'memory.limit_in_bytes'), String(memoryBytes), true)
    if (pids !== undefined) write(file('pids', 'pids.max'), String(pids), true)
  }

  has(path: string): boolean {
    return existsSync(join(MOUNT, this.#controllers[0]!, path))
  }

  limits(path: string): Omit<CgroupLimits, 'cpuShares'> {
    const file = (controller: string, name: string) => join(MOUNT, controller, path, name)
    return limitsOf(amount(file('cpu', 'cpu.cfs_quota_us')), amount(file('memory', 'memory.limit_in_bytes')))
  }

  remove(path: string): void {
    for (const controller of this.#controllers) removeTree(join(MOUNT, controller, path))
  }

  pods(path: string): string[] {
    return podsIn(join(MOUNT, this.#controllers[0]!, path))
  }
}

/** v1 says 'no limit' with a number as large as this. */
const UNLIMITED_BYTES = 2 ** 60

function limitsOf(cpuQuota: number, memoryBytes: number): Omit<CgroupLimits, 'cpuShares'> {
  return {
    ...(cpuQuota > 0 && { cpuQuota }),
    ...(memoryBytes > 0 && memoryBytes < UNLIMITED_BYTES && { memoryBytes }),
  }
}

/** The first word as a number; NaN for 'max' and where there is no file. */
const amount = (file: string): number =>
  existsSync(file) ? Number(readFileSync(file, 'utf8').trim().split(' ')[0]) : Number.NaN

/** What has no limit now keeps none. */
function widest(wanted: CgroupLimits, current: Omit<CgroupLimits, 'cpuShares'>): CgroupLimits {
  const larger = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? undefined : Math.max(a, b)
  const cpuQuota = larger(wanted.cpuQuota, current.cpuQuota)
  const memoryBytes = larger(wanted.memoryBytes, current.memoryBytes)
  return {
    cpuShares: wanted.cpuShares,
    ...(cpuQuota !== undefined && { cpuQuota }),
    ...(memoryBytes !== undefined && { memoryBytes }),
  }
}

/** A new cpuset group is empty and takes no process until it has its parent's processors and memory nodes. */
function inheritCpuset(dir: string): void {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(dir, name)) || readFileSync(join(dir, name), 'utf8').trim()) continue
    const parent = dirname(dir)
    if (!readFileSync(join(parent, name), 'utf8').trim() && parent !== join(MOUNT, 'cpuset'))
      inheritCpuset(parent)
    write(join(dir, name), readFileSync(join(parent, name), 'utf8').trim(), true)
  }
}

/** `lenient`: the controller may be missing on this machine, or may refuse what it cannot do. */
function write(file: string, value: string, lenient = false): void {
  try {
    writeFileSync(file, value)
  } catch (error) {
    if (!lenient) throw error
  }
}

function podsIn(dir: string): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir)
    .filter(name => /^pod[0-9a-f-]{36}$/.test(name))
    .map(name => name.slice(3))
}

/** Cgroups are removed from the leaves up; one that still has a process stays. */
function removeTree(dir: string): void {
  if (!existsSync(dir)) return
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(dir, entry.name))
  try {
    rmdirSync(dir)
  } catch (error) {
    if (!['ENOENT', 'EBUSY'].includes((error as { code?: string }).code ?? '')) throw error
  }
}
