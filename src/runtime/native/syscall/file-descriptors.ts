// Pipes, terminals and sockets as Node streams, where Node itself cannot make or take them: through FFI.
import { constants, openSync } from 'node:fs'
import { createServer, Socket, type SocketConstructorOpts } from 'node:net'
import koffi from 'koffi'
import { checkResult, connectSocket, libc, SyscallError, socketError } from './libc.ts'

const O_CLOEXEC = 0o2000000
const TIOCSWINSZ = 0x5414
const MSG_DONTWAIT = 0x40
const MSG_CMSG_CLOEXEC = 0x40000000
const POLLIN = 1
const POLLOUT = 4

const iovec = koffi.struct('kn_iovec', { base: 'void *', length: 'size_t' })
const msghdr = koffi.struct('kn_msghdr', {
  name: 'void *',
  nameLength: 'uint32_t',
  iov: koffi.pointer(iovec),
  iovLength: 'size_t',
  control: 'void *',
  controlLength: 'size_t',
  flags: 'int',
})
const pollfd = koffi.struct('kn_pollfd', { fd: 'int', events: 'short', revents: 'short' })

const raw = {
  pipe2: libc.func('int pipe2(_Out_ int *fds, int flags)'),
  ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argument)'),
  recvmsg: libc.func('recvmsg', 'intptr_t', ['int', koffi.inout(koffi.pointer(msghdr)), 'int']),
  poll: libc.func('poll', 'int', [koffi.inout(koffi.pointer(pollfd)), 'unsigned long', 'int']),
}

/** A pipe of the kernel's. Node's own are sockets, which a program cannot open again as /dev/stdin or /dev/stdout. */
export function makePipe(): { readEnd: number; writeEnd: number } {
  const fds = [0, 0]
  checkResult(raw.pipe2(fds, O_CLOEXEC), 'pipe2', '')
  return { readEnd: fds[0]!, writeEnd: fds[1]! }
}

export function readPipe(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: false })
}

export function writePipe(fd: number): Socket {
  return new Socket({ fd, readable: false, writable: true })
}

export function setTerminalSize(fd: number, { width, height }: { width: number; height: number }): void {
  const size = Buffer.alloc(8)
  size.writeUInt16LE(height, 0)
  size.writeUInt16LE(width, 2)
  checkResult(raw.ioctl(fd, TIOCSWINSZ, size), 'ioctl', `TIOCSWINSZ ${width}x${height}`)
}

const TIOCSPTLCK = 0x40045431
const TIOCGPTN = 0x80045430

/** A new terminal: its master, and the path of what a program takes for its terminal (pts(4)). */
export function openTerminal(): { master: number; path: string } {
  const master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY)
  const number = Buffer.alloc(4)
  checkResult(raw.ioctl(master, TIOCSPTLCK, number), 'ioctl', 'TIOCSPTLCK')
  checkResult(raw.ioctl(master, TIOCGPTN, number), 'ioctl', 'TIOCGPTN')
  return { master, path: `/dev/pts/${number.readUInt32LE()}` }
}

const CONTROL_BYTES = 64
/** Of struct cmsghdr on 64-bit Linux: length, level, type; then the descriptors. */
const CMSG_DATA = 16

/** Waits (at most `withinMs`) for a descriptor that the other end of a unix socket sends along: SCM_RIGHTS. */
export async function receiveDescriptor(socketFd: number, withinMs: number): Promise<number> {
  if (!(await pollOne(socketFd, POLLIN, withinMs))) throw new Error('no terminal was sent')
  const control = Buffer.alloc(CONTROL_BYTES)
  const message = {
    name: null,
    nameLength: 0,
    iov: { base: Buffer.alloc(256), length: 256 },
    iovLength: 1,
    control,
    controlLength: control.length,
    flags: 0,
  }
  checkResult(raw.recvmsg(socketFd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), 'recvmsg', '')
  if (message.controlLength < CMSG_DATA + 4) throw new Error('a message came without a terminal')
  return control.readInt32LE(CMSG_DATA)
}

/** Waits on a thread of the pool; answers whether it came true in time. */
function pollOne(fd: number, events: number, withinMs: number): Promise<boolean> {
  const waiting = { fd, events, revents: 0 }
  return new Promise((resolve, reject) => {
    raw.poll.async(waiting, 1, withinMs, (error: Error | null, result: number) =>
      error ? reject(error) : resolve(result === 1),
    )
  })
}

/** Connects a socket that does not block. Throws SyscallError. */
export async function connectLater(fd: number, address: Buffer, withinMs = 30_000): Promise<void> {
  try {
    connectSocket(fd, address)
    return
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== 'EINPROGRESS') throw error
  }
  if (!(await pollOne(fd, POLLOUT, withinMs))) throw new SyscallError('connect', 'ETIMEDOUT', '')
  const refusal = socketError(fd, '')
  if (refusal) throw refusal
}

type PipeHandle = { open(fd: number): number | undefined; constructor: new (kind: number) => PipeHandle }
const PIPE_SOCKET = 0

/**
 * Any descriptor that can be polled (a terminal, a packet socket) as a stream. Node's public API takes only pipes and
 * stream sockets; its pipe handle takes all of them, and is found on a pipe that Node made.
 */
export function streamOf(fd: number): Socket {
  const handle = new (pipeHandleClass())(PIPE_SOCKET)
  handle.open(fd)
  return new Socket({ handle, readable: true, writable: true } as unknown as SocketConstructorOpts)
}

let handleClass: (new (kind: number) => PipeHandle) | undefined

function pipeHandleClass(): new (kind: number) => PipeHandle {
  if (!handleClass) {
    const { readEnd, writeEnd } = makePipe()
    const [reader, writer] = [readPipe(readEnd), writePipe(writeEnd)]
    handleClass = (reader as unknown as { _handle: PipeHandle })._handle.constructor
    reader.destroy()
    writer.destroy()
  }
  return handleClass
}

/** Takes one connection on a unix socket's path; resolves with it unread. */
export function acceptOne(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true }, socket => {
      server.close()
      resolve(socket)
    })
    server.once('error', reject)
    server.listen({ path, signal })
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** The number behind a socket that Node made. */
export function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd
}
