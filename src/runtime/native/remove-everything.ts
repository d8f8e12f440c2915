// Takes away all that a cluster's runtime made, be it running or not. Touches nothing of other clusters; can be repeated.
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { cgroupFolders, cgroupsBelow } from './cgroup/cgroup-tree.ts'
import { removeAppArmorProfile } from './containers/app-armor.ts'
import { removeMapped } from './containers/mapped-files.ts'
import { removeNetwork } from './network/pod-network.ts'
import { reachableFolder, volatileFolder } from './state-dir.ts'
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
  for (const folder of [join(stateDir, 'containers'), join(stateDir, 'sandboxes'), volatileFolder(stateDir)])
    rmSync(folder, { recursive: true, force: true })
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
    const pids = [...processesIn(name), ...monitorsOf(stateDir)]
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

/** Those in the cluster's cgroups. */
export function processesIn(name: string): number[] {
  return cgroupFolders(name)
    .flatMap(root => cgroupsBelow(root))
    .flatMap(cgroup => {
      const file = join(cgroup, 'cgroup.procs')
      return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number) : []
    })
}

/** conmon processes whose arguments name this state directory. */
export function monitorsOf(stateDir: string): number[] {
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .filter(pid => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        return /(^|\/)conmon$/.test(args[0]!) && args.includes(join(volatileFolder(stateDir), 'exits'))
      } catch {
        return false
      }
    })
    .map(Number)
}

async function removeCgroups(name: string): Promise<void> {
  for (const root of cgroupFolders(name))
    for (const cgroup of cgroupsBelow(root)) await rmdir(cgroup).catch(ignoreGone)
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
