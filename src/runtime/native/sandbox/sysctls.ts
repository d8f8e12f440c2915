// Kernel settings of a pod, written in the namespaces they belong to when its sandbox is made.
// Which of them pods may set is the kubelet's business (admission/sysctls.ts there).
import { writeFileSync } from 'node:fs'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import { inNamespace } from '../syscall/namespaces.ts'

type Owner = 'net' | 'ipc' | 'uts'

const IPC = /^(kernel\.(shm|msg)|kernel\.sem$|fs\.mqueue\.)/
const UTS = /^kernel\.(hostname|domainname)$/

/** The namespace that a setting belongs to; undefined for what is the whole machine's. */
export function sysctlOwner(name: string): Owner | undefined {
  if (name.startsWith('net.')) return 'net'
  if (IPC.test(name)) return 'ipc'
  return UTS.test(name) ? 'uts' : undefined
}

/** 'net.ipv4.ip_forward' and 'net/ipv4/ip_forward' are the same: the first separator tells which one is meant. */
export function sysctlFile(name: string): string {
  const dotted = name.indexOf('.')
  const slashed = name.indexOf('/')
  if (slashed < 0 || (dotted >= 0 && dotted < slashed)) {
    return `/proc/sys/${name.replaceAll(/[./]/g, found => (found === '.' ? '/' : '.'))}`
  }
  return `/proc/sys/${name}`
}

/** Settings that belong to no namespace of a sandbox: the OCI runtime judges them. */
export function containerSysctls(all: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !sysctlOwner(normal(name))))
}

/** `pinned` answers the namespace's file, false when the sandbox has the machine's own. */
export function setSysctls(all: Record<string, string>, pinned: (owner: Owner) => string | false): void {
  for (const [name, value] of Object.entries(all)) {
    const owner = sysctlOwner(normal(name))
    if (!owner) continue
    const namespace = pinned(owner)
    if (!namespace)
      throw new CriError(
        CRI_CODE.invalidArgument,
        `sysctl "${name}" is not allowed: the pod has no ${owner} namespace of its own`,
      )
    try {
      inNamespace(owner, namespace, () => writeFileSync(sysctlFile(name), value))
    } catch (error) {
      throw new CriError(CRI_CODE.unknown, `failed to set sysctl "${name}": ${(error as Error).message}`)
    }
  }
}

const normal = (name: string) => sysctlFile(name).slice('/proc/sys/'.length).replaceAll('/', '.')
