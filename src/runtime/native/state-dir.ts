// Where the runtime keeps what it must find again after it was killed. What is of no use without the processes that it
// tells of is in memory (mount-namespace.ts): files of it come and go by the dozen with every container.
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTopFolder } from './syscall/top-folder.ts'

/** Of the cluster with that name. */
export const reachableFolder = (name: string): string => `/run/kubernode-${name}`

/** Where a file system in memory is mounted, for the runtime and what it starts alone. */
export const volatileFolder = (stateDir: string): string => join(stateDir, 'volatile')

export class StateDir {
  readonly root: string
  readonly #volatile: string
  readonly #reachable: string

  /** `reachable`: a folder to which, unlike `root`, every user of the machine may walk. It is made when it is needed. */
  constructor(root: string, reachable: string) {
    this.root = root
    this.#volatile = volatileFolder(root)
    this.#reachable = reachable
    for (const folder of [this.sandboxes, this.containers]) makeTopFolder(folder, 0o700)
    const { exits, attach, ociRoot, execs } = this
    for (const folder of [exits, attach, ociRoot, execs, this.#pods, this.#bundles])
      mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  // On the disk

  /** A folder per sandbox with its record. */
  get sandboxes(): string {
    return join(this.root, 'sandboxes')
  }

  /** A folder per container with its record and its writable layer. */
  get containers(): string {
    return join(this.root, 'containers')
  }

  get images(): string {
    return join(this.root, 'images')
  }

  sandbox(id: string, ...rest: string[]): string {
    return join(this.sandboxes, id, ...rest)
  }

  container(id: string, ...rest: string[]): string {
    return join(this.containers, id, ...rest)
  }

  // In memory

  /** conmon writes a file per ended container here. */
  get exits(): string {
    return join(this.#volatile, 'exits')
  }

  get attach(): string {
    return join(this.#volatile, 'attach')
  }

  /** crun's and runc's own state. */
  get ociRoot(): string {
    return join(this.#volatile, 'oci')
  }

  /** A folder per command that is being run; of no use to another runtime than the one that made them. */
  get execs(): string {
    return join(this.#volatile, 'execs')
  }

  get #pods(): string {
    return join(this.#volatile, 'pods')
  }

  get #bundles(): string {
    return join(this.#volatile, 'bundles')
  }

  /** The sandbox's pinned namespaces and the files that its containers share. */
  pod(id: string, ...rest: string[]): string {
    return join(this.#pods, id, ...rest)
  }

  /** The container's OCI bundle, with what its monitor puts there. */
  bundle(id: string, ...rest: string[]): string {
    return join(this.#bundles, id, ...rest)
  }

  /** Mounts for one container, or one sandbox's pause, in a user namespace. */
  mapped(id: string): string {
    return join(this.#reachable, id)
  }
}

/** Replaces the file at once: a reader never sees half of it, a crash leaves the old one. */
export function writeState(file: string, state: object): void {
  writeFileSync(`${file}.new`, lineOf(state), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Adds what has changed, which costs no new file; a crash may leave part of a line. For a few changes of each file. */
export function appendState(file: string, changes: object): void {
  appendFileSync(file, lineOf(changes))
}

const lineOf = (state: object) => `${JSON.stringify(state)}\n`

/** Every `state.json` below the folder; folders without a readable one are half-made: they are answered apart. */
export function readStates<T>(folder: string): { states: T[]; broken: string[] } {
  const states: T[] = []
  const broken: string[] = []
  for (const id of readdirSync(folder)) {
    try {
      states.push(parseState<T>(readFileSync(join(folder, id, 'state.json'), 'utf8')))
    } catch {
      broken.push(id)
    }
  }
  return { states, broken }
}

/** Of whole lines, each ends with a newline; later ones change what earlier ones say. */
function parseState<T>(text: string): T {
  const [first = '', ...changes] = text.split('\n').slice(0, -1)
  return Object.assign(JSON.parse(first), ...changes.map(changesIn)) as T
}

/** Half a line, where the disk was full, spoils itself and the next. */
function changesIn(line: string): object {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}
