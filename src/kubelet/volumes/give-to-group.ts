import { chmod, lchown, lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../../api/types/core-v1.ts'

/** A volume's files belong to the Pod's fsGroup, if it has one. Upstream: SetVolumeOwnership. */
export async function giveToGroup(path: string, { spec }: Pod): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = spec.securityContext ?? {}
  if (fsGroup === undefined) return
  const root = await stat(path)
  const isOwned = root.gid === fsGroup && (root.mode & 0o2000) !== 0
  if (!(fsGroupChangePolicy === 'OnRootMismatch' && isOwned)) await giveTo(path, fsGroup)
}

/** With rights for it, at every depth. */
async function giveTo(path: string, group: number): Promise<void> {
  const found = await lstat(path)
  await lchown(path, found.uid, group)
  if (found.isSymbolicLink()) return
  if (!found.isDirectory()) {
    await chmod(path, (found.mode & 0o7777) | 0o660)
    return
  }
  for (const name of await readdir(path)) await giveTo(join(path, name), group)
  await chmod(path, (found.mode & 0o7777) | 0o2770)
}
