// What /proc tells of a container's processes. They come and go while it is read: what is gone counts for nothing.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

export interface ProcessDetails {
  processes: number
  threads: number
  fileDescriptors: number
  sockets: number
  /** The first process's soft limit of open files; absent when it is gone. */
  openFilesLimit?: number
}

export function processDetails(pids: readonly string[], proc = '/proc'): ProcessDetails {
  const all = pids.map(pid => descriptorsOf(join(proc, pid)))
  const sum = (read: (one: (typeof all)[number]) => number) =>
    all.reduce((total, one) => total + read(one), 0)
  const openFilesLimit = pids[0] === undefined ? undefined : openFilesOf(join(proc, pids[0]))
  return {
    processes: pids.length,
    threads: sum(({ threads }) => threads),
    fileDescriptors: sum(({ files }) => files),
    sockets: sum(({ sockets }) => sockets),
    ...(openFilesLimit !== undefined && { openFilesLimit }),
  }
}

function descriptorsOf(folder: string): { threads: number; files: number; sockets: number } {
  try {
    const files = readdirSync(join(folder, 'fd'))
    const sockets = files.filter(fd => isSocket(join(folder, 'fd', fd))).length
    return { threads: readdirSync(join(folder, 'task')).length, files: files.length, sockets }
  } catch {
    return { threads: 0, files: 0, sockets: 0 }
  }
}

function isSocket(file: string): boolean {
  try {
    return readlinkSync(file).startsWith('socket:')
  } catch {
    return false
  }
}

function openFilesOf(folder: string): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync(join(folder, 'limits'), 'utf8')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
