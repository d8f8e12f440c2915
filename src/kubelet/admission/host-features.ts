// What a pod asks of the machine's kernel and this kubelet may refuse: kernel settings and AppArmor.
// Upstream: sysctl/allowlist.go, lifecycle/handlers.go (AppArmor).
import { existsSync, readFileSync } from 'node:fs'
import type { Pod } from '../../api/types/core-v1.ts'
import { appArmorProfileOf } from '../containers/app-armor.ts'
import type { FailWords } from '../pod-worker/worker-phase.ts'

export interface HostFeatures {
  /** Patterns of the node's configuration (allowedUnsafeSysctls): names, or beginnings that end in '*'. */
  unsafeSysctls: readonly string[]
  hasAppArmor: boolean
}

const SAFE = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]
const IPC = /^(kernel\.(shm|msg)|kernel\.sem$|fs\.mqueue\.)/

export function refusedByHost(pod: Pod, features: HostFeatures): FailWords | undefined {
  return forbiddenSysctl(pod, features.unsafeSysctls) ?? missingAppArmor(pod, features.hasAppArmor)
}

function forbiddenSysctl({ spec }: Pod, unsafe: readonly string[]): FailWords | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const problem = sysctlProblem(normalSysctl(name), spec, unsafe)
    if (problem) return rejected('SysctlForbidden', `forbidden sysctl: ${problem}`)
  }
  return undefined
}

function sysctlProblem(name: string, spec: Pod['spec'], unsafe: readonly string[]): string | undefined {
  const allowed = [...SAFE, ...unsafe].some(one =>
    one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === normalSysctl(one),
  )
  if (!allowed) return `"${name}" not allowlisted`
  if (IPC.test(name) && spec.hostIPC) return `"${name}" not allowed with host ipc enabled`
  if (name.startsWith('net.') && spec.hostNetwork) return `"${name}" not allowed with host net enabled`
  return undefined
}

/** With a slash first, slashes separate and dots belong to names (sysctl.d(5)). */
export function normalSysctl(name: string): string {
  const first = /[./]/.exec(name)?.[0]
  return first === '/' ? name.replaceAll(/[./]/g, found => (found === '/' ? '.' : '/')) : name
}

function missingAppArmor(pod: Pod, hasAppArmor: boolean): FailWords | undefined {
  const { spec, status } = pod
  if (hasAppArmor || (status.phase !== undefined && status.phase !== 'Pending')) return undefined
  const all = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  const types = all.map(container => appArmorProfileOf(pod, container)?.type ?? 'Unconfined')
  if (types.every(type => type === 'Unconfined')) return undefined
  return rejected('AppArmor', 'Cannot enforce AppArmor: AppArmor is not enabled on the host')
}

const rejected = (reason: string, message: string): FailWords => ({
  reason,
  message: `Pod was rejected: ${message}`,
})

/** `sys` is where the kernel shows itself: the module is on, and its interface is mounted. */
export function hostHasAppArmor(sys = '/sys'): boolean {
  const parameter = `${sys}/module/apparmor/parameters/enabled`
  if (!existsSync(`${sys}/kernel/security/apparmor`) || !existsSync(parameter)) return false
  return readFileSync(parameter, 'utf8').startsWith('Y')
}
