// Making, pinning and visiting namespaces from the main thread. A namespace belongs to a thread, so every visit
// is one synchronous step: nothing else of this process ever sees it.
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { CLONE, enterNamespace, MS, mount, unshare } from './libc.ts'

export type NamespaceKind = 'mnt' | 'net' | 'ipc' | 'uts'

const flagOf: Record<NamespaceKind, number> = {
  mnt: CLONE.mount,
  net: CLONE.network,
  ipc: CLONE.ipc,
  uts: CLONE.uts,
}

/** The process's main thread; `/proc/self` would name it too, but only while it is the one that asks. */
const own = (kind: NamespaceKind) => `/proc/${process.pid}/ns/${kind}`

/**
 * Runs `visit` in new namespaces of these kinds and returns to the old ones whatever happens.
 * A process that could not return must not go on: it would do everything else in the wrong place.
 */
export function inNewNamespaces<T>(kinds: readonly NamespaceKind[], visit: () => T): T {
  return away(kinds, () => unshare(kinds.reduce((flags, kind) => flags | flagOf[kind], 0)), visit)
}

/** Runs `visit` inside the namespace that `file` pins. */
export function inNamespace<T>(kind: NamespaceKind, file: string, visit: () => T): T {
  return away([kind], () => enter(kind, file), visit)
}

function away<T>(kinds: readonly NamespaceKind[], leave: () => void, visit: () => T): T {
  const homes = kinds.map(kind => ({ kind, fd: openSync(own(kind), 'r') }))
  try {
    leave()
    return visit()
  } finally {
    for (const { kind, fd } of homes) {
      try {
        enterNamespace(fd, flagOf[kind])
      } catch (error) {
        process.stderr.write(`cannot return to the ${kind} namespace: ${error}\n`)
        process.exit(70)
      }
      closeSync(fd)
    }
  }
}

/** Moves the main thread, and all its later children, for good. */
export function enter(kind: NamespaceKind, file: string): void {
  const fd = openSync(file, 'r')
  try {
    enterNamespace(fd, flagOf[kind])
  } finally {
    closeSync(fd)
  }
}

/** Keeps the main thread's present namespace alive under a file, until that file is unmounted. */
export function pin(kind: NamespaceKind, file: string): void {
  writeFileSync(file, '')
  mount(own(kind), file, null, MS.bind)
}

/** As pin, for a namespace of another process. */
export function pinOf(pid: number, kind: NamespaceKind | 'pid' | 'user', file: string): void {
  writeFileSync(file, '')
  mount(`/proc/${pid}/ns/${kind}`, file, null, MS.bind)
}

/** A thread that shares its file system view with others cannot change its mount namespace. */
export function ownFileSystemView(): void {
  unshare(CLONE.fileSystem)
}
