// Who a container runs as: ids, or names looked up in the image's own /etc/passwd and /etc/group.
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'

export interface ResolvedUser {
  uid: number
  gid: number
  /** Groups that the image's /etc/group puts the user into. */
  groups: number[]
  home: string
}

/** `spec` is '', 'user', 'uid', 'user:group' or 'uid:gid', as in an image's config. `rootfs` is its unpacked root. */
export function resolveUser(spec: string, rootfs: readonly string[]): ResolvedUser {
  const [user = '', group] = spec.split(':')
  const passwd = table(rootfs, 'etc/passwd')
  const wanted = user || '0'
  const entry = passwd.find(([name, , uid]) => name === wanted || uid === wanted)
  if (!entry && !/^\d+$/.test(wanted)) {
    throw new CriError(CRI_CODE.unknown, `unable to find user ${wanted}: no matching entries in passwd file`)
  }
  const groups = table(rootfs, 'etc/group')
  return {
    uid: entry ? Number(entry[2]) : Number(wanted),
    gid: group === undefined ? Number(entry?.[3] ?? 0) : groupId(group, groups),
    groups: groups
      .filter(([, , , members]) => entry && members?.split(',').includes(entry[0]!))
      .map(([, , gid]) => Number(gid)),
    home: entry?.[5] || '/',
  }
}

function groupId(group: string, groups: readonly string[][]): number {
  const entry = groups.find(([name, , gid]) => name === group || gid === group)
  if (entry) return Number(entry[2])
  if (/^\d+$/.test(group)) return Number(group)
  throw new CriError(CRI_CODE.unknown, `unable to find group ${group}: no matching entries in group file`)
}

/** The topmost layer's file; a symbolic link in its place is not followed out of the image. */
function table(layers: readonly string[], file: string): string[][] {
  for (const layer of layers) {
    try {
      const fd = openSync(join(layer, file), constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        const lines = readFileSync(fd, 'utf8').split('\n')
        return lines.filter(Boolean).map(line => line.split(':'))
      } finally {
        closeSync(fd)
      }
    } catch {
      // Not in this layer: look below.
    }
  }
  return []
}
