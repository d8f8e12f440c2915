// Takes away all that a cluster's runtime made, be it running or not. Touches nothing of other clusters; can be repeated.
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { removeAppArmorProfile } from './containers/app-armor.ts'
import { removeMapped } from './containers/mapped-files.ts'
import { removeNetwork } from './network/pod-network.ts'
import { reachableFolder } from './state-dir.ts'
import { unmountIfMounted } from './syscall/libc.ts'

export interface Traces {
  name: string
  stateDir: string
  clock: Clock
}

/** Runs inside the cluster's mount namespace, so that its mounts can be seen. */
export async function removeEverything({ name, stateDir, clock }: Traces): Promise<void> {
  await killAll(name, stateDir, clock)
  for (const target of mountsBelow(stateDir)) unmountIfMounted(target)
  removeReachable(reachableFolder(name))
  for (const folder of ['containers', 'sandboxes', 'exits', 'attach', 'oci', 'execs']) {
    rmSync(join(stateDir, folder), { recursive: true, force: true })
  }
  await removeNetwork(name)
  removeAppArmorProfile(name)
  await removeCgroups(name)
}

function removeReachable(folder: string): void {
  if (!existsSync(folder)) return
  for (const id of readdirSync(folder)) removeMapped(join(folder, id))
  rmdirSync(folder)
}

/** Every process in the cluster's cgroups, and every monitor of its containers. */
async function killAll(name: string, stateDir: string, clock: Clock): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const pids = [...processesIn(name), ...monitors(stateDir)]
    if (pids.length === 0) return
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    await clock.sleep(10)
  }
  throw new Error(`some processes of cluster ${name} could not be killed`)
}

function processesIn(name: string): number[] {
  return cgroupRoots(name)
    .flatMap(root => cgroupsBelow(root))
    .flatMap(cgroup => {
      const file = join(cgroup, 'cgroup.procs')
      return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number) : []
    })
}

/** conmon processes whose arguments name this state directory. */
function monitors(stateDir: string): number[] {
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .filter(pid => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        return /(^|\/)conmon$/.test(args[0]!) && args.includes(join(stateDir, 'exits'))
      } catch {
        return false
      }
    })
    .map(Number)
}

/** The cluster's own directory in every hierarchy. */
function cgroupRoots(name: string): string[] {
  const base = '/sys/fs/cgroup'
  if (!existsSync(base)) return []
  const hierarchies = [base, ...readdirSync(base).map(entry => join(base, entry))]
  return [...new Set(hierarchies.map(hierarchy => join(hierarchy, name)))].filter(
    path => existsSync(path) && statSync(path).isDirectory(),
  )
}

/** Deepest first. */
function cgroupsBelow(root: string): string[] {
  if (!existsSync(root)) return []
  const children = readdirSync(root, { withFileTypes: true }).filter(entry => entry.isDirectory())
  return [...children.flatMap(({ name }) => cgroupsBelow(join(root, name))), root]
}

async function removeCgroups(name: string): Promise<void> {
  for (const root of cgroupRoots(name))
    for (const cgroup of cgroupsBelow(root)) await rmdir(cgroup).catch(ignoreGone)
}

/** Those that pods under another runtime had: what still runs in one is that runtime's business, and stays. */
export async function removeEmptyCgroups(name: string): Promise<void> {
  for (const root of cgroupRoots(name)) {
    for (const cgroup of cgroupsBelow(root)) {
      await rmdir(cgroup).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EBUSY' && error.code !== 'ENOTEMPTY') ignoreGone(error)
      })
    }
  }
}

function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/** Deepest first, so that nothing is hidden below something else. */
function mountsBelow(stateDir: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
    .filter(path => path.startsWith(`${stateDir}/`) && !path.startsWith(join(stateDir, 'ns')))
    .sort()
    .reverse()
}
