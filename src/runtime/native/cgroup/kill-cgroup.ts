// Ends every process of a cgroup. For containers whose process namespace does not end with their first process.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MOUNT = '/sys/fs/cgroup'
const HIERARCHIES = ['pids', 'memory', 'cpu', 'freezer', 'devices']
/** A process may make others while they are read. */
const ROUNDS = 20

/** A cgroup that is gone has none left. */
export function killCgroup(path: string, mount = MOUNT): void {
  const unified = join(mount, path, 'cgroup.kill')
  if (existsSync(unified)) {
    writeFileSync(unified, '1')
    return
  }
  for (let round = 0; round < ROUNDS; round++) {
    const pids = processesOf(path, mount)
    if (pids.length === 0) return
    for (const pid of pids) kill(pid)
  }
}

export function processesOf(path: string, mount = MOUNT): number[] {
  const folder = ['', ...HIERARCHIES]
    .map(hierarchy => join(mount, hierarchy, path, 'cgroup.procs'))
    .find(existsSync)
  if (!folder) return []
  return readFileSync(folder, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .filter(pid => pid > 0)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
