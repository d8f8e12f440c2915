// What the machine is and has, read once.
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { arch, availableParallelism, release, totalmem } from 'node:os'
import type { NodeSystemInfo } from '../../api/types/core-v1.ts'

export interface Machine {
  cpus: number
  memoryBytes: number
  ephemeralStorageBytes: number
  info: NodeSystemInfo
}

export const KUBELET_VERSION = 'v1.36.2'
const GO_ARCH: Record<string, string> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: '386',
  ppc64: 'ppc64le',
  s390x: 's390x',
}

/** `runtime` is 'name://version'; storage is that of the file system which holds `dir`. */
export function readMachine(dir: string, runtime: string): Machine {
  const disk = statfsSync(existsSync(dir) ? dir : '/')
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    ephemeralStorageBytes: disk.blocks * disk.bsize,
    info: {
      machineID: text('/etc/machine-id'),
      systemUUID: text('/sys/class/dmi/id/product_uuid') || text('/etc/machine-id'),
      bootID: text('/proc/sys/kernel/random/boot_id'),
      kernelVersion: release(),
      osImage: /^PRETTY_NAME="?([^"\n]*)"?/m.exec(text('/etc/os-release'))?.[1] ?? 'Linux',
      containerRuntimeVersion: runtime,
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: GO_ARCH[arch()] ?? arch(),
    },
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}

/** capacity and allocatable alike: nothing is held back for the system. */
export function machineResources({
  cpus,
  memoryBytes,
  ephemeralStorageBytes,
}: Machine): Record<string, string> {
  return {
    cpu: String(cpus),
    'ephemeral-storage': `${Math.floor(ephemeralStorageBytes / 1024)}Ki`,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: `${Math.floor(memoryBytes / 1024)}Ki`,
    pods: '110',
  }
}
