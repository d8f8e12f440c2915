// Which process runs a cluster on this machine: a small file under /run, claimed at start and removed at the end.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { PlainError } from '../base/plain-error.ts'

export interface RunningCluster {
  name: string
  pid: number
  /** Start time of the process in clock ticks since boot, so that a reused pid is not taken for it. */
  startTicks: string
  dataDir: string
  /** How long its pods may take to end when it stops, unless another time is asked for. */
  graceMs: number
  /** Filled in once the API server listens. */
  server?: string
}

/** The live process of the cluster, or undefined when none runs (a file left by a crash does not count). */
export function findRunning(file: string): RunningCluster | undefined {
  const left = readLeft(file)
  return left && isAlive(left) ? left : undefined
}

/** What the file says, be the process alive or not: after a crash it tells where the data is. */
export function readLeft(file: string): RunningCluster | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunningCluster
  } catch {
    return undefined
  }
}

/** Throws PlainError when a live process holds the name. */
export function claim(
  file: string,
  cluster: { name: string; dataDir: string; graceMs: number },
): RunningCluster {
  const running = findRunning(file)
  if (running) {
    throw new PlainError(
      `Cluster "${cluster.name}" is already running (process ${running.pid}, data in ${running.dataDir}): ` +
        `stop it with "kubernode down --name ${cluster.name}" or choose another --name.`,
    )
  }
  const mine: RunningCluster = { ...cluster, pid: process.pid, startTicks: startTicks(process.pid) ?? '' }
  write(file, mine)
  return mine
}

/** Replaces the file at once, so that a reader never sees half of it. */
export function write(file: string, cluster: RunningCluster): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, JSON.stringify(cluster), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** What the one who stops the cluster grants its pods, in milliseconds. */
export function writeStopGrace(file: string, graceMs: number): void {
  writeFileSync(file, String(graceMs), { mode: 0o600 })
}

/** Undefined when nobody said. */
export function readStopGrace(file: string): number | undefined {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

export function release(file: string): void {
  rmSync(file, { force: true })
}

/**
 * Resolves true when the process of the cluster has ended, false when `signal` aborts first. A process that ends in its
 * own way removes its file when all else is gone, and has little left to do then.
 */
export function waitUntilGone(file: string, running: RunningCluster, signal: AbortSignal): Promise<boolean> {
  return new Promise(resolve => {
    const done = (gone: boolean) => {
      watcher?.close()
      clearInterval(backstop)
      resolve(gone)
    }
    const look = () => {
      if (!isAlive(running)) done(true)
      else if (!existsSync(file)) {
        clearInterval(backstop)
        backstop = setInterval(look, LAST_STEPS_MS)
      }
    }
    // Only /proc tells of a process's end, and it cannot be watched.
    let backstop = setInterval(look, 200)
    const watcher = existsSync(dirname(file))
      ? watch(dirname(file), (_, changed) => changed === basename(file) && look())
      : undefined
    signal.addEventListener('abort', () => done(false), { once: true })
    look()
  })
}

const LAST_STEPS_MS = 5

const isAlive = ({ pid, startTicks: then }: RunningCluster) => startTicks(pid) === then

function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Fields after the command, which may itself hold spaces and parentheses: state is field 3, starttime field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
