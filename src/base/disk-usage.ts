import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK_BYTES = 512

export interface DiskFigures {
  bytes: number
  /** Files and directories, the top one included. */
  inodes: number
}

/** Bytes that a directory takes on its own file system. 0 if it is gone. */
export async function diskUsage(dir: string): Promise<number> {
  return (await diskFigures(dir)).bytes
}

/** What a directory takes on its own file system; a file with several names counts once. Nothing if it is gone. */
export async function diskFigures(dir: string): Promise<DiskFigures> {
  const top = await lstat(dir).catch(ignoreGone)
  if (!top) return { bytes: 0, inodes: 0 }
  let inodes = 1
  const seen = new Set<number>()
  const folders: [string, Stats][] = [[dir, top]]
  let bytes = top.blocks * BLOCK_BYTES
  for (let next = folders.pop(); next; next = folders.pop()) {
    const entries = await opendir(next[0]).catch(ignoreGone)
    if (!entries) continue
    for await (const entry of entries) {
      const path = join(next[0], entry.name)
      const stats = await lstat(path).catch(ignoreGone)
      if (!stats || stats.dev !== top.dev || (stats.nlink > 1 && !stats.isDirectory() && seen.has(stats.ino)))
        continue
      seen.add(stats.ino)
      bytes += stats.blocks * BLOCK_BYTES
      inodes++
      if (stats.isDirectory()) folders.push([path, stats])
    }
  }
  return { bytes, inodes }
}

/** Containers remove files while they are counted. */
function ignoreGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}
