// The few system calls that Node does not offer, through FFI; each is one C function and throws like node:fs.
// Synchronous on purpose: namespaces belong to a thread, so these must all run on the main thread.
import { constants } from 'node:os'
import koffi from 'koffi'

/** The C library, for what other files of this folder declare. */
export const libc = koffi.load(null)

const raw = {
  mount: libc.func(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
  ),
  umount2: libc.func('int umount2(const char *target, int flags)'),
  unshare: libc.func('int unshare(int flags)'),
  setns: libc.func('int setns(int fd, int kind)'),
  syscall: libc.func('long syscall(long number, ...)'),
  sethostname: libc.func('int sethostname(const char *name, size_t length)'),
  mkfifo: libc.func('int mkfifo(const char *path, unsigned int mode)'),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  connect: libc.func('int connect(int fd, void *address, unsigned int length)'),
  getsockopt: libc.func(
    'int getsockopt(int fd, int level, int name, void *value, _Inout_ unsigned int *length)',
  ),
  close: libc.func('int close(int fd)'),
  send: libc.func('intptr_t send(int fd, void *buffer, size_t length, int flags)'),
  recv: libc.func('intptr_t recv(int fd, void *buffer, size_t length, int flags)'),
}

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

/** A failed system call; `code` is the errno's name as in node:fs ("EBUSY"). */
export class SyscallError extends Error {
  readonly code: string
  readonly syscall: string

  constructor(syscall: string, code: string, detail: string) {
    super(`${code}: ${syscall} ${detail}`)
    this.syscall = syscall
    this.code = code
  }
}

/** The result, or a SyscallError when it is negative. */
export function checkResult(result: number, syscall: string, detail: string): number {
  if (result >= 0) return result
  throw new SyscallError(syscall, nameOf(koffi.errno()), detail)
}

const nameOf = (errno: number) => errnoNames.get(errno) ?? `errno ${errno}`

/** Flags of mount(2). */
export const MS = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  remount: 32,
  bind: 4096,
  recursive: 16384,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
} as const

/** Namespace kinds, for unshare(2) and setns(2). */
export const CLONE = {
  fileSystem: 0x200,
  mount: 0x20000,
  uts: 0x4000000,
  ipc: 0x8000000,
  network: 0x40000000,
} as const

export function mount(
  source: string,
  target: string,
  type: string | null,
  flags: number,
  data: string | null = null,
): void {
  checkResult(raw.mount(source, target, type, flags, data), 'mount', `${source} on ${target}`)
}

/** As `mount`, on a thread of the pool: what takes the kernel long holds up nothing else. */
export function mountInBackground(...args: Parameters<typeof mount>): Promise<void> {
  const [source, target, type, flags, data = null] = args
  return new Promise((resolve, reject) => {
    raw.mount.async(source, target, type, flags, data, (error: Error | null, result: number) => {
      if (error) return reject(error)
      if (result >= 0) return resolve()
      try {
        // Why it failed only the thread itself could have told: this one asks again.
        mount(...args)
        resolve()
      } catch (why) {
        reject(why)
      }
    })
  })
}

const MNT_DETACH = 2

/** Unmounts lazily: the mount is gone from sight at once, and freed when its last user is. */
export function unmount(target: string): void {
  checkResult(raw.umount2(target, MNT_DETACH), 'umount', target)
}

/** Unmounts; what is not mounted, or not there, is fine. */
export function unmountIfMounted(target: string): void {
  try {
    unmount(target)
  } catch (error) {
    if (!(error instanceof SyscallError) || !['EINVAL', 'ENOENT'].includes(error.code)) throw error
  }
}

/** Numbers of the younger calls are the same on every architecture. */
const NUMBER = { openTree: 428, moveMount: 429, mountSetattr: 442 } as const
const AT_CWD = -100
const TREE_CLONE = 1
const TREE_RECURSIVE = 0x8000
const CLOSE_ON_EXEC = 0o2000000
const FROM_EMPTY_PATH = 4

/** A copy of the mounts at and below the path, attached nowhere; to be closed. Copies of shared mounts stay peers. */
export function cloneMounts(path: string): number {
  const flags = TREE_CLONE | TREE_RECURSIVE | CLOSE_ON_EXEC
  const fd = raw.syscall(NUMBER.openTree, 'int', AT_CWD, 'str', path, 'unsigned int', flags)
  return checkResult(Number(fd), 'open_tree', path)
}

const ATTRIBUTE_IDMAP = 0x100000n

/**
 * Files of a copy that cloneMounts made (and nothing has attached yet) belong to other ids from then on: as the user
 * namespace maps ids of the disk to ids of the machine (mount_setattr(2), ID-mapped mounts). Not every kind of file
 * system can: EINVAL.
 */
export function mapIds(fd: number, userNamespace: number): void {
  const attributes = Buffer.alloc(32)
  attributes.writeBigUInt64LE(ATTRIBUTE_IDMAP, 0)
  attributes.writeBigUInt64LE(BigInt(userNamespace), 24)
  const result = raw.syscall(
    NUMBER.mountSetattr,
    ...['int', fd, 'str', ''],
    ...['unsigned int', AT_EMPTY_PATH | TREE_RECURSIVE],
    ...['void *', attributes, 'size_t', attributes.length],
  )
  checkResult(Number(result), 'mount_setattr', 'MOUNT_ATTR_IDMAP')
}

const AT_EMPTY_PATH = 0x1000

/** Attaches what cloneMounts made. */
export function attachMounts(fd: number, target: string): void {
  const result = raw.syscall(
    NUMBER.moveMount,
    ...['int', fd, 'str', ''],
    ...['int', AT_CWD, 'str', target],
    ...['unsigned int', FROM_EMPTY_PATH],
  )
  checkResult(Number(result), 'move_mount', target)
}

export function unshare(flags: number): void {
  checkResult(raw.unshare(flags), 'unshare', `0x${flags.toString(16)}`)
}

export function enterNamespace(fd: number, kind: number): void {
  checkResult(raw.setns(fd, kind), 'setns', `0x${kind.toString(16)}`)
}

export function setHostname(name: string): void {
  checkResult(raw.sethostname(name, Buffer.byteLength(name)), 'sethostname', name)
}

export function makeFifo(path: string, mode: number): void {
  checkResult(raw.mkfifo(path, mode), 'mkfifo', path)
}

const MKNODAT: Partial<Record<string, number>> = { x64: 259, arm64: 33 }
const BLOCK_SPECIAL = 0o060000

/** A block device's node. glibc has a function for it only since 2.33. */
export function makeBlockNode(path: string, mode: number, device: { major: number; minor: number }): void {
  const number = MKNODAT[process.arch]
  if (number === undefined) throw new Error(`device nodes cannot be made on ${process.arch}`)
  const { major, minor } = device
  const result = raw.syscall(
    number,
    ...['int', AT_CWD, 'str', path],
    ...['unsigned int', BLOCK_SPECIAL | mode],
    ...['unsigned int', (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)],
  )
  checkResult(Number(result), 'mknod', path)
}

export const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const
export const SOCK = { stream: 1, raw: 3, seqPacket: 5, nonBlock: 0o4000, closeOnExec: 0o2000000 } as const

export function openSocket(domain: number, type: number, protocol: number): number {
  return checkResult(raw.socket(domain, type, protocol), 'socket', `${domain}/${type}/${protocol}`)
}

export function connectSocket(fd: number, address: Buffer): void {
  checkResult(raw.connect(fd, address, address.length), 'connect', '')
}

/** The error that a socket waits to tell (SO_ERROR); undefined when there is none. */
export function socketError(fd: number, detail: string): SyscallError | undefined {
  const value = Buffer.alloc(4)
  checkResult(raw.getsockopt(fd, SOL_SOCKET, SO_ERROR, value, [value.length]), 'getsockopt', detail)
  const errno = value.readInt32LE()
  return errno === 0 ? undefined : new SyscallError('connect', nameOf(errno), detail)
}

const SOL_SOCKET = 1
const SO_ERROR = 4

export function closeSocket(fd: number): void {
  raw.close(fd)
}

export function sendTo(fd: number, message: Buffer): void {
  checkResult(raw.send(fd, message, message.length, 0), 'send', '')
}

/** Blocks until one message is there; returns its length. */
export function receiveFrom(fd: number, buffer: Buffer): number {
  return checkResult(raw.recv(fd, buffer, buffer.length, 0), 'recv', '')
}
