// Where a cgroup is, in the one hierarchy of cgroup v2 or in each of v1, and what is below it.
import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const MOUNT = '/sys/fs/cgroup'

/** Its folders, one for each hierarchy that has it. */
export function cgroupFolders(path: string, mount = MOUNT): string[] {
  if (!existsSync(mount)) return []
  const hierarchies = [mount, ...readdirSync(mount).map(entry => join(mount, entry))]
  return [...new Set(hierarchies.map(hierarchy => join(hierarchy, path)))].filter(
    folder => existsSync(folder) && statSync(folder).isDirectory(),
  )
}

/** A folder and all groups below it, deepest first. */
export function cgroupsBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  const children = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory())
  return [...children.flatMap(({ name }) => cgroupsBelow(join(folder, name))), folder]
}

/** Answers whether nothing of it is left: false where a process is still in it. */
export function removeCgroup(path: string, mount = MOUNT): boolean {
  const folders = cgroupFolders(path, mount).flatMap(cgroupsBelow)
  return folders.map(removeGroup).every(Boolean)
}

function removeGroup(folder: string): boolean {
  try {
    rmdirSync(folder)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false
    if (code === 'ENOENT') return true
    throw error
  }
}
