// The native container runtime as a child: started, waited for, ended. It is a process of its own so that spawning
// containers never holds up the API server (docs/decisions/0002). Containers outlive it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PlainError } from '../../base/plain-error.ts'
import { removeCgroup } from './cgroup/cgroup-tree.ts'
import { ensureMountNamespace, removeMountNamespace } from './mount-namespace.ts'
import { chooseRuntime, type RuntimeKind } from './probe.ts'

export interface RuntimePlace {
  /** The cluster's name: it is in the name of everything that is made on the host. */
  name: string
  stateDir: string
  socket: string
  /** A directory, itself a shared mount, in which mounts of containers reach the machine. */
  shared?: string
  /** Which OCI runtime; the best one of the machine when left out. */
  kind?: RuntimeKind
  /** Absolute path of the file that says how registries are reached (images/registries-file.ts). */
  registries?: string
}

export interface RuntimeProcess {
  pid: number
  /** Rejects with the reason when the process ends without being asked to. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** The runtime's entry: beside the bundle when bundled, its source otherwise. */
function entryFile(): string {
  const bundled = join(import.meta.dirname, 'runtime-process.mjs')
  return existsSync(bundled) ? bundled : join(import.meta.dirname, 'process.ts')
}

/** The young generation is kept small: the process is idle most of the time and its memory is counted. In MB. */
const NODE_FLAGS = ['--max-semi-space-size=4', '--min-semi-space-size=2']

/** nsenter replaces itself, so the child's pid is the runtime's. */
function spawnInNamespace(
  { name, stateDir, socket, kind, registries, shared }: RuntimePlace,
  more: string[],
  stdio: ('pipe' | 'inherit' | 'ignore')[],
) {
  const namespace = ensureMountNamespace(stateDir)
  const own = ['--name', name, '--state-dir', stateDir, '--socket', socket, ...more]
  if (kind) own.push('--oci-runtime', kind)
  if (registries) own.push('--registries', registries)
  if (shared) own.push('--shared', shared)
  return spawn('nsenter', [`--mount=${namespace}`, process.execPath, ...NODE_FLAGS, entryFile(), ...own], {
    stdio,
  })
}

/** Resolves when the runtime serves its socket: it says one line, `{"ready":true}` or `{"error":"…"}`, on stdout. */
export async function startRuntimeProcess(place: RuntimePlace): Promise<RuntimeProcess> {
  chooseRuntime(undefined, place.kind)
  for (const folder of [dirname(place.socket), place.stateDir]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }
  // stdin is held open: when this process dies, the runtime sees its end and stops too.
  const child = spawnInNamespace(place, [], ['pipe', 'pipe', 'inherit'])
  await ready(child)
  let stopping = false
  const ended = once(child, 'exit')
  const failed = ended.then(([code, signal]) => {
    if (stopping) return new Promise<never>(() => {})
    throw new Error(`the container runtime stopped (${signal ?? `exit code ${code}`})`)
  })
  failed.catch(() => {})
  return {
    pid: child.pid!,
    failed,
    async stop() {
      stopping = true
      child.stdin!.end()
      await ended
    },
  }
}

async function ready(child: ChildProcess): Promise<void> {
  child.stdout!.setEncoding('utf8')
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    child.once('exit', code =>
      reject(new PlainError(`The container runtime did not start (exit code ${code}).`)),
    )
    child.once('error', reject)
  })
  const { error } = JSON.parse(line) as { ready?: true; error?: string }
  if (error) throw new PlainError(error)
}

/** Removes containers, mounts, links, rules and cgroups of a cluster, be its runtime alive or not. */
export async function removeRuntimeTraces(place: RuntimePlace): Promise<void> {
  if (!existsSync(place.stateDir)) {
    // Pods under another runtime had cgroups: what still runs in one is that runtime's business, and stays.
    removeCgroup(place.name)
    return
  }
  const child = spawnInNamespace(place, ['--remove-everything'], ['ignore', 'inherit', 'pipe'])
  let words = ''
  child.stderr!.setEncoding('utf8').on('data', chunk => {
    words += chunk
  })
  const [code] = await once(child, 'close')
  if (code !== 0)
    throw new Error(`what the container runtime made could not be removed completely: ${words.trim()}`)
  removeMountNamespace(place.stateDir)
}
