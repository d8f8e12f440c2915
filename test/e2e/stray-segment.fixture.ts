// Runs in a pod's network namespace: sends one TCP segment from a port of the pod that no connection would send, far
// out of its window. Arguments: the pod's address and port, the receiver's address and port.
import { AF, connectSocket, openSocket, SOCK, sendTo } from '../../src/runtime/native/syscall/libc.ts'

const TCP = 6
const [from, fromPort, to, toPort] = process.argv.slice(2) as [string, string, string, string]
const address = (text: string) => Buffer.from(text.split('.').map(Number))

function segment(): Buffer {
  const bytes = Buffer.alloc(24)
  bytes.writeUInt16BE(Number(fromPort), 0)
  bytes.writeUInt16BE(Number(toPort), 2)
  bytes.writeUInt32BE(1_000, 4)
  bytes.writeUInt32BE(1_000, 8)
  const [headerWords, ack] = [5 << 4, 0x10]
  bytes[12] = headerWords
  bytes[13] = ack
  bytes.writeUInt16BE(1_000, 14)
  bytes.write('boom', 20)
  const pseudo = Buffer.from([...address(from), ...address(to), 0, TCP, 0, bytes.length])
  bytes.writeUInt16BE(checksum(Buffer.concat([pseudo, bytes])), 16)
  return bytes
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let offset = 0; offset < bytes.length; offset += 2) sum += bytes.readUInt16BE(offset)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}

const socket = openSocket(AF.inet, SOCK.raw | SOCK.closeOnExec, TCP)
const target = Buffer.alloc(16)
target.writeUInt16LE(AF.inet, 0)
address(to).copy(target, 4)
connectSocket(socket, target)
sendTo(socket, segment())
