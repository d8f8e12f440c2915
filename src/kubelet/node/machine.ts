// What the machine is and has, read once.
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { arch, availableParallelism, release, totalmem } from 'node:os'
import type { NodeSystemInfo } from '../../api/types/core-v1.ts'

export interface Machine {
  cpus: number
  memoryBytes: number
  ephemeralStorageBytes: number
  /** Bytes set aside, by the page's size: '2Mi' and '1Gi'. */
  hugepages: Readonly<Record<string, number>>
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
    hugepages: readHugepages(),
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

const HUGEPAGES = '/sys/kernel/mm/hugepages'
const KILO = 1024

/** Each folder is a size in kilobytes: hugepages-2048kB. */
function readHugepages(): Record<string, number> {
  const sizes = { '1Gi': KILO * KILO, '2Mi': 2 * KILO }
  const entries = Object.entries(sizes).map(([name, kilobytes]) => {
    const pages = Number(text(`${HUGEPAGES}/hugepages-${kilobytes}kB/nr_hugepages`) || 0)
    return [name, pages * kilobytes * KILO] as const
  })
  return Object.fromEntries(entries)
}

function hugepageAmounts(hugepages: Machine['hugepages']): Record<string, string> {
  const amount = (bytes: number) => (bytes === 0 ? '0' : `${bytes / KILO / KILO}Mi`)
  return Object.fromEntries(
    Object.entries(hugepages).map(([size, bytes]) => [`hugepages-${size}`, amount(bytes)]),
  )
}

/** Memory that is set aside for huge pages cannot be had otherwise. */
const sumOf = (hugepages: Machine['hugepages']) =>
  Object.values(hugepages).reduce((sum, bytes) => sum + bytes, 0)

/** capacity and allocatable alike: nothing is held back for the system. */
export function machineResources({
  cpus,
  memoryBytes,
  ephemeralStorageBytes,
  hugepages,
}: Machine): Record<string, string> {
  return {
    cpu: String(cpus),
    'ephemeral-storage': `${Math.floor(ephemeralStorageBytes / 1024)}Ki`,
    ...hugepageAmounts(hugepages),
    memory: `${Math.floor((memoryBytes - sumOf(hugepages)) / 1024)}Ki`,
    pods: '110',
  }
}
