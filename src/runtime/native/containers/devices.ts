// Device nodes of the machine as an OCI spec wants them (runtime-spec config-linux.md, devices).
import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Device } from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'

export interface OciDevice {
  /** Where the container sees it. */
  path: string
  type: 'b' | 'c'
  major: number
  minor: number
  fileMode: number
  uid: number
  gid: number
  /** Of 'rwm': read, write, mknod. */
  access: string
}

/** Mounts of their own or made anew in every container. */
const SKIPPED = new Set(['pts', 'shm', 'fd', 'mqueue', 'console', '.lxc', '.lxd-mounts', '.udev'])

/** Every device of the machine, for privileged containers. */
export function hostDevices(folder = '/dev'): OciDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (SKIPPED.has(entry.name)) return []
    if (entry.isDirectory()) return hostDevices(path)
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return []
    const found = lstatSync(path, { throwIfNoEntry: false })
    return found ? [ociDevice(path, found, 'rwm')] : []
  })
}

/** What the config asks for; a directory stands for all devices in it. Throws CriError when there is none. */
export function wantedDevices(devices: readonly Device[]): OciDevice[] {
  return devices.flatMap(({ hostPath, containerPath, permissions }) => {
    const found = statSync(hostPath, { throwIfNoEntry: false })
    if (!found) throw new CriError(CRI_CODE.notFound, `device ${hostPath}: no such file or directory`)
    if (found.isDirectory()) {
      return hostDevices(hostPath).map(device => ({
        ...device,
        path: join(containerPath, device.path.slice(hostPath.length)),
        access: permissions,
      }))
    }
    if (!found.isCharacterDevice() && !found.isBlockDevice())
      throw new CriError(CRI_CODE.invalidArgument, `${hostPath} is not a device node`)
    return [ociDevice(containerPath, found, permissions)]
  })
}

function ociDevice(path: string, stats: Stats, access: string): OciDevice {
  return {
    path,
    type: stats.isBlockDevice() ? 'b' : 'c',
    ...deviceNumber(stats.rdev),
    fileMode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    access,
  }
}

/** Linux's encoding in stat(2): makedev(3). */
export function deviceNumber(rdev: number): { major: number; minor: number } {
  const number = BigInt(rdev)
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
  }
}
