// One UDP socket that hands datagrams to the query handler and sends back what it answers.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { QueryHandler } from './query-handler.ts'

export interface Listener {
  port: number
  close(): Promise<void>
}

/** Bursts wait in the kernel while other work holds the event loop. */
const RECEIVE_BUFFER = 4 * 1024 * 1024

/** `port` 0: any free one. Fails with the system's error (EADDRINUSE, EADDRNOTAVAIL). */
export async function listenUdp(address: string, port: number, handle: QueryHandler): Promise<Listener> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.on('message', (bytes, from) => answer(socket, handle, bytes, from))
  socket.bind(port, address)
  await once(socket, 'listening')
  socket.setRecvBufferSize(RECEIVE_BUFFER)
  // An answer to somebody who is gone comes back as an error; it concerns nobody else.
  socket.on('error', () => {})
  return {
    port: socket.address().port,
    close: () => new Promise(resolve => socket.close(() => resolve())),
  }
}

function answer(socket: Socket, handle: QueryHandler, bytes: Buffer, from: RemoteInfo): void {
  const send = (response: Buffer | undefined) => {
    if (!response) return
    try {
      socket.send(response, from.port, from.address, () => {})
    } catch (error) {
      // The socket was closed while the answer was looked for; port 0 is nobody's.
      const code = (error as NodeJS.ErrnoException).code
      if (code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING' && code !== 'ERR_SOCKET_BAD_PORT') throw error
    }
  }
  const response = handle(bytes, 'udp')
  if (response instanceof Promise) void response.then(send)
  else send(response)
}
