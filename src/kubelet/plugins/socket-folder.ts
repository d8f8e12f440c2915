// Follows the sockets of a folder and of the folders in it, by the kernel's own notices.
// Upstream: pluginmanager/pluginwatcher.
import { type BigIntStats, type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { basename, join } from 'node:path'

export interface SocketEvents {
  /** It is there, or another one is in its place. */
  appeared(path: string): void
  gone(path: string): void
}

/** The folder must be there. Files whose names begin with a dot are left alone. */
export class SocketFolder {
  readonly #events: SocketEvents
  readonly #sockets = new Map<string, string>()
  readonly #watchers = new Map<string, FSWatcher>()

  constructor(folder: string, events: SocketEvents) {
    this.#events = events
    this.#follow(folder)
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  /** Watched before it is read, so that nothing is missed in between. */
  #follow(folder: string): void {
    if (this.#watchers.has(folder)) return
    const watcher = watch(folder, { persistent: false }, (event, name) => {
      if (event !== 'rename') return
      if (name === null) this.#readAll(folder)
      else this.#look(join(folder, name))
    })
    watcher.on('error', () => this.#forget(folder))
    this.#watchers.set(folder, watcher)
    this.#readAll(folder)
  }

  #readAll(folder: string): void {
    for (const name of namesIn(folder)) this.#look(join(folder, name))
  }

  #look(path: string): void {
    if (basename(path).startsWith('.')) return
    const found = statOf(path)
    if (!found) this.#forget(path)
    else if (found.isDirectory()) this.#follow(path)
    else if (found.isSocket()) this.#saw(path, identity(found))
  }

  #saw(path: string, which: string): void {
    if (this.#sockets.get(path) === which) return
    this.#sockets.set(path, which)
    this.#events.appeared(path)
  }

  /** A socket, or a folder with all that was in it. */
  #forget(path: string): void {
    const isIn = (other: string) => other === path || other.startsWith(`${path}/`)
    for (const folder of [...this.#watchers.keys()].filter(isIn)) {
      this.#watchers.get(folder)!.close()
      this.#watchers.delete(folder)
    }
    for (const socket of [...this.#sockets.keys()].filter(isIn)) {
      this.#sockets.delete(socket)
      this.#events.gone(socket)
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true })
  } catch {
    return undefined
  }
}

/** Numbers of files are used again at once, times of birth are not. */
const identity = ({ dev, ino, birthtimeNs }: BigIntStats): string => `${dev} ${ino} ${birthtimeNs}`
