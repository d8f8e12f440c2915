// A TCP connection to a port of the loopback of some network namespace. The socket is made inside the namespace and
// belongs to it from then on; Node cannot say when it makes one, so the C library does.
import { Socket } from 'node:net'
import { connectLater } from '../syscall/file-descriptors.ts'
import { AF, closeSocket, openSocket, SOCK, SyscallError } from '../syscall/libc.ts'
import { inNamespace } from '../syscall/namespaces.ts'

/** `networkFile` pins the namespace; the own one when absent. Throws with the words of a dialler for both families. */
export async function dialLoopback(port: number, networkFile: string | undefined): Promise<Socket> {
  const refusals: string[] = []
  for (const { family, name, address } of [loopback4(port), loopback6(port)]) {
    let fd = -1
    try {
      const open = () => openSocket(family, SOCK.stream | SOCK.nonBlock | SOCK.closeOnExec, 0)
      fd = networkFile ? inNamespace('net', networkFile, open) : open()
      await connectLater(fd, address)
      return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true })
    } catch (error) {
      if (fd >= 0) closeSocket(fd)
      refusals.push(`${name}: connect: ${wordsOf(error)}`)
    }
  }
  throw new Error(
    `failed to connect to localhost:${port} inside namespace ${JSON.stringify(networkFile ?? '')}, IPv4: ${refusals[0]} IPv6 ${refusals[1]}`,
  )
}

/** struct sockaddr_in. */
function loopback4(port: number) {
  const address = Buffer.alloc(16)
  address.writeUInt16LE(AF.inet, 0)
  address.writeUInt16BE(port, 2)
  address.set([127, 0, 0, 1], 4)
  return { family: AF.inet, name: `dial tcp4 127.0.0.1:${port}`, address }
}

/** struct sockaddr_in6. */
function loopback6(port: number) {
  const address = Buffer.alloc(28)
  address.writeUInt16LE(AF.inet6, 0)
  address.writeUInt16BE(port, 2)
  address[8 + 15] = 1
  return { family: AF.inet6, name: `dial tcp6 [::1]:${port}`, address }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENETUNREACH: 'network is unreachable',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EAFNOSUPPORT: 'address family not supported by protocol',
  ETIMEDOUT: 'connection timed out',
}

function wordsOf(error: unknown): string {
  if (error instanceof SyscallError) return WORDS[error.code] ?? error.code
  return error instanceof Error ? error.message : String(error)
}
