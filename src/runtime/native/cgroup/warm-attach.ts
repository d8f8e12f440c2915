// Moving a process into a cgroup makes the kernel wait for an RCU grace period (about 12 ms) unless another move was
// made just before (percpu_rwsem: rcu_sync stays entered for one more grace period). crun does such a move for every
// container. So when a container is about to be made, this process moves itself to where it is already, in the
// background: the wait then overlaps with everything that comes before crun's own move.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const MOUNT = '/sys/fs/cgroup'

/** The file that this process would be written to, to stay where it is; undefined without cgroups. */
export function ownProcsFile(table = readFileSync('/proc/self/cgroup', 'utf8')): string | undefined {
  const [, controllers, path] = /^\d+:([^:]*):(.*)$/m.exec(table) ?? []
  if (path === undefined) return undefined
  if (controllers === '') return join(MOUNT, path, 'cgroup.procs')
  return join(MOUNT, controllers!.replace('name=', ''), path, 'cgroup.procs')
}

/** Answers a function that starts one such move and never fails; calls during a move join it. */
export function attachWarmer(file = ownProcsFile()): () => void {
  let moving = false
  let usable = file !== undefined
  return () => {
    if (moving || !usable) return
    moving = true
    writeFile(file!, String(process.pid))
      .catch(() => {
        // Not allowed here: containers start all the same.
        usable = false
      })
      .finally(() => {
        moving = false
      })
  }
}
