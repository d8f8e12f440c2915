// The mount namespace in which the runtime and all containers' monitors live: pinned to a file, so that it outlives
// every process and the next runtime finds the containers' mounts again. Four things differ from the host in it:
// what lasts no longer than the containers' processes is kept in memory,
// crun is bound read-only over itself (it then skips copying itself at each start), nobody can change who owns /dev/null,
// and on hybrid cgroup hosts the second hierarchy looks empty (crun refuses to run otherwise).
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { volatileFolder } from './state-dir.ts'

const CGROUP2_MAGIC = 0x63677270
const HYBRID_CONTROLLERS = '/sys/fs/cgroup/unified/cgroup.controllers'

export type CgroupMode = 'v1' | 'hybrid' | 'v2'

export function cgroupMode(): CgroupMode {
  if (statfsSync('/sys/fs/cgroup').type === CGROUP2_MAGIC) return 'v2'
  const unified = existsSync(HYBRID_CONTROLLERS) ? readFileSync(HYBRID_CONTROLLERS, 'utf8').trim() : ''
  return unified ? 'hybrid' : 'v1'
}

export const namespaceFile = (stateDir: string) => join(stateDir, 'ns', 'mnt')

const isPinned = (file: string) => existsSync(file) && statfsSync(file).type === NSFS_MAGIC
const NSFS_MAGIC = 0x6e736673

/** Makes and pins the namespace unless it is there. Answers the file to enter it by (`nsenter --mount=FILE`). */
export function ensureMountNamespace(stateDir: string): string {
  const file = namespaceFile(stateDir)
  if (isPinned(file)) return file
  const folder = join(stateDir, 'ns')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // A namespace can only be pinned on a mount that does not propagate.
  if (!isMountPoint(folder)) run('mount', '--bind', folder, folder)
  run('mount', '--make-private', folder)
  writeFileSync(file, '')
  const crun = ['/usr/bin/crun', '/usr/local/bin/crun'].find(existsSync)
  const volatile = volatileFolder(stateDir)
  mkdirSync(volatile, { recursive: true, mode: 0o711 })
  const script = [
    'mount -t tmpfs -o mode=0711 kubernode "$0"',
    // crun gives what a process has as input to that process's user, be it the machine's own /dev/null. It cannot here.
    'mount -o bind,ro /dev/null /dev/null',
    ...(crun ? [`mount -o bind,ro ${crun} ${crun}`] : []),
    ...(cgroupMode() === 'hybrid' ? [`mount --bind /dev/null ${HYBRID_CONTROLLERS}`] : []),
  ]
  pinNew(file, '--propagation', 'slave', 'sh', '-c', [...script, 'true'].join(' && '), volatile)
  return file
}

const TRIES = 8

/**
 * Only a younger namespace can be pinned in another. Since Linux 6.18 their numbers tell which is younger, and each
 * processor gives out a range of its own: in a namespace that is not the machine's first, a new one may count as older.
 */
function pinNew(file: string, ...args: string[]): void {
  for (let tries = 1; ; tries++) {
    try {
      run('unshare', `--mount=${file}`, ...args)
      return
    } catch (error) {
      if (tries === TRIES || !/Invalid argument/.test(String(error))) throw error
    }
  }
}

/** Lets the namespace go; its mounts go with the last process in it. */
export function removeMountNamespace(stateDir: string): void {
  const file = namespaceFile(stateDir)
  if (isPinned(file)) run('umount', file)
  if (isMountPoint(join(stateDir, 'ns'))) run('umount', join(stateDir, 'ns'))
}

function isMountPoint(folder: string): boolean {
  if (!existsSync(folder)) return false
  return (
    readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${folder} `) && statSync(folder).isDirectory()
  )
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
