// Where the runtime keeps what it must find again after it was killed.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Of the cluster with that name. */
export const reachableFolder = (name: string): string => `/run/kubernode-${name}`

export class StateDir {
  readonly root: string
  /** A folder per command that is being run; of no use to another runtime than the one that made them. */
  readonly execs: string
  readonly #reachable: string

  /**
   * `reachable`: a folder to which, unlike `root`, every user of the machine may walk. It is made when it is needed.
   * `execs`: better not on the disk of `root`, so that commands and probes run when that one is full.
   */
  constructor(root: string, reachable: string, execs: string = join(root, 'execs')) {
    this.root = root
    this.execs = execs
    this.#reachable = reachable
    for (const folder of [
      this.sandboxes,
      this.containers,
      this.exits,
      this.attach,
      this.ociRoot,
      this.execs,
    ]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
    }
  }

  get sandboxes(): string {
    return join(this.root, 'sandboxes')
  }

  get containers(): string {
    return join(this.root, 'containers')
  }

  /** conmon writes a file per ended container here. */
  get exits(): string {
    return join(this.root, 'exits')
  }

  get attach(): string {
    return join(this.root, 'attach')
  }

  /** crun's and runc's own state. */
  get ociRoot(): string {
    return join(this.root, 'oci')
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

  /** Mounts for one container, or one sandbox's pause, in a user namespace. */
  mapped(id: string): string {
    return join(this.#reachable, id)
  }
}

/** Replaces the file at once: a reader never sees half of it, a crash leaves the old one. */
export function writeState(file: string, state: object): void {
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Every `state.json` below the folder; folders without a readable one are half-made: they are answered apart. */
export function readStates<T>(folder: string): { states: T[]; broken: string[] } {
  const states: T[] = []
  const broken: string[] = []
  for (const id of readdirSync(folder)) {
    try {
      states.push(JSON.parse(readFileSync(join(folder, id, 'state.json'), 'utf8')) as T)
    } catch {
      broken.push(id)
    }
  }
  return { states, broken }
}
