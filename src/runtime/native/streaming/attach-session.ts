// Joins a running container's own streams through the socket of its conmon. That is a packet socket: every packet of
// output names its stream in its first byte, every packet sent is input. Packets keep their bounds only as long as each
// read and write is one system call, so both sides go piece by piece here.
import { closeSync, constants, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../../../base/clock.ts'
import { streamOf } from '../syscall/file-descriptors.ts'
import { AF, closeSocket, connectSocket, openSocket, SOCK } from '../syscall/libc.ts'
import type { CommandStreams, Perform } from './remote-command.ts'
import { ResizeWriter } from './resize-writer.ts'

/** conmon's marks of stdout and stderr; a terminal has only the first. */
const STDOUT = 2
const STDERR = 3
/** conmon reads no more than 32 KiB of a packet. */
const MOST_INPUT_BYTES = 8 * 1024

/** `bundle` is the folder of the container with conmon's socket and control fifo. */
export function attachSession(bundle: string, clock: Clock): Perform {
  return async (streams, signal) => {
    const socket = streamOf(connect(bundle))
    socket.on('error', () => {})
    const hangUp = () => socket.destroy()
    signal.addEventListener('abort', hangUp, { once: true })
    if (signal.aborted) hangUp()
    const resizer = new ResizeWriter(join(bundle, 'ctl'), clock)
    streams.onResize(size => resizer.resize(size))
    const over = receiveOutput(socket, streams)
    if (streams.stdin) sendInput(streams.stdin, socket)
    await over
    signal.removeEventListener('abort', hangUp)
    socket.destroy()
    return undefined
  }
}

/** A path of more than 107 bytes fits no address: the folder is named by a descriptor instead. */
function connect(bundle: string): number {
  const folder = openSync(bundle, constants.O_RDONLY | constants.O_DIRECTORY)
  const fd = openSocket(AF.unix, SOCK.seqPacket | SOCK.closeOnExec, 0)
  try {
    connectSocket(fd, unixAddress(`/proc/self/fd/${folder}/attach`))
    return fd
  } catch (error) {
    closeSocket(fd)
    throw error
  } finally {
    closeSync(folder)
  }
}

/** struct sockaddr_un. */
function unixAddress(path: string): Buffer {
  const family = Buffer.alloc(2)
  family.writeUInt16LE(AF.unix)
  return Buffer.concat([family, Buffer.from(`${path}\0`)])
}

/** Until the container has ended, or the client is gone, and everything heard is written on. */
async function receiveOutput(socket: Socket, { stdout, stderr }: CommandStreams): Promise<void> {
  socket.on('data', (packet: Buffer) => {
    const target = { [STDOUT]: stdout, [STDERR]: stderr }[packet[0] ?? 0]
    if (!target || target.destroyed || target.write(packet.subarray(1))) return
    socket.pause()
    const goOn = () => {
      target.off('drain', goOn).off('close', goOn)
      socket.resume()
    }
    target.on('drain', goOn).on('close', goOn)
  })
  await new Promise<void>(resolve => {
    socket.once('end', resolve)
    socket.once('close', () => resolve())
  })
  await Promise.all([stdout, stderr].map(target => target && ended(target)))
}

function ended(target: Writable): Promise<void> {
  if (target.destroyed) return Promise.resolve()
  return new Promise(resolve => {
    target.once('close', resolve)
    target.end(() => resolve())
  })
}

/** The end of the input is told to conmon, which closes the container's (stdinOnce) or leaves it open. */
function sendInput(source: Readable, socket: Socket): void {
  const target = new Writable({
    write(chunk: Buffer, _encoding, done) {
      sendPieces(socket, chunk).then(() => done(), done)
    },
    final(done) {
      socket.end(() => done())
    },
  })
  pipeline(source, target).catch(() => source.resume())
}

/** The next piece is written when the kernel has the one before: pieces that wait together would become one packet. */
async function sendPieces(socket: Socket, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length; at += MOST_INPUT_BYTES) {
    const piece = chunk.subarray(at, at + MOST_INPUT_BYTES)
    await new Promise<void>((resolve, reject) => {
      socket.write(piece, error => (error ? reject(error) : resolve()))
    })
  }
}
