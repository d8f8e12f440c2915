// Keeps a second process out of a store's directory. The kernel drops the lock when its holder dies,
// however it dies, so a store that was killed is never refused.
import { chmodSync, closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import koffi from 'koffi'
import { PlainError } from '../../base/plain-error.ts'

const LOCK_EXCLUSIVE = 2
const LOCK_NON_BLOCKING = 4

export interface DirectoryLock {
  release(): void
}

/** Throws PlainError when another process, or another store of this one, holds the directory. */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, 'owner.lock')
  // libuv opens files close-on-exec, so children do not inherit the lock.
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  if (flock(fd, LOCK_EXCLUSIVE | LOCK_NON_BLOCKING) !== 0) {
    const owner = readFileSync(path, 'utf8').trim()
    closeSync(fd)
    throw new PlainError(
      `the store in ${directory} is in use by ${owner ? `process ${owner}` : 'another process'}; stop that cluster first or choose another data directory`,
    )
  }
  chmodSync(path, 0o600)
  ftruncateSync(fd)
  writeSync(fd, `${process.pid}\n`)
  return { release: () => closeSync(fd) }
}

let bound: ((fd: number, operation: number) => number) | undefined

/** flock(2); -1 on failure. */
function flock(fd: number, operation: number): number {
  bound ??= koffi.load(null).func('int flock(int fd, int operation)') as (
    fd: number,
    operation: number,
  ) => number
  return bound(fd, operation)
}
