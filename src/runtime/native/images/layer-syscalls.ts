// System calls that layers and the store's lock need and Node does not offer. Each throws with the errno's name.
import { open } from 'node:fs/promises'
import { constants } from 'node:os'
import koffi from 'koffi'

const libc = koffi.load(null)

const raw = {
  mknod: libc.func('int mknod(const char *path, unsigned int mode, uint64_t device)'),
  lsetxattr: libc.func(
    'int lsetxattr(const char *path, const char *name, const char *value, size_t size, int flags)',
  ),
  flock: libc.func('int flock(int fd, int operation)'),
  syncfs: libc.func('int syncfs(int fd)'),
}

const S_IFCHR = 0o020000
const LOCK_EXCLUSIVE_NOW = 2 | 4

/** An overlay whiteout: the character device 0/0. */
export function makeWhiteout(path: string): void {
  check(raw.mknod(path, S_IFCHR, 0), 'mknod', path)
}

/** Marks a directory so that overlay hides what lower layers have in it. */
export function makeOpaque(directory: string): void {
  check(raw.lsetxattr(directory, 'trusted.overlay.opaque', 'y', 1, 0), 'lsetxattr', directory)
}

/** Writes what the file system of this directory has in memory to its disk, without holding up anything else. */
export async function syncFileSystem(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    const result = await new Promise<number>((resolve, reject) => {
      raw.syncfs.async(handle.fd, (error: unknown, value: number) => (error ? reject(error) : resolve(value)))
    })
    check(result, 'syncfs', directory)
  } finally {
    await handle.close()
  }
}

/** Takes the lock of an open file if nobody has it. It ends with the file descriptor, so also with the process. */
export function tryLock(fd: number): boolean {
  if (raw.flock(fd, LOCK_EXCLUSIVE_NOW) === 0) return true
  if (koffi.errno() === constants.errno.EWOULDBLOCK) return false
  check(-1, 'flock', String(fd))
  return false
}

function check(result: number, call: string, what: string): void {
  if (result === 0) return
  const errno = koffi.errno()
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`
  throw Object.assign(new Error(`${name}: ${call} ${what}`), { code: name })
}
