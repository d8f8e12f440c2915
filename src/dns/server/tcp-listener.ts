// DNS over TCP: messages with their length before them, several at once on one connection (RFC 7766).
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { QueryHandler } from './query-handler.ts'
import type { Listener } from './udp-listener.ts'

/** A connection that is quiet for this long is closed. */
const IDLE_MS = 10_000
const MOST_CONNECTIONS = 512
/** Queries of one connection that are worked on at once; more wait in the socket. */
const MOST_AT_ONCE = 64

/** `port` 0: any free one. Fails with the system's error (EADDRINUSE, EADDRNOTAVAIL). */
export async function listenTcp(address: string, port: number, handle: QueryHandler): Promise<Listener> {
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    serve(socket, handle)
  })
  server.maxConnections = MOST_CONNECTIONS
  server.listen(port, address)
  await once(server, 'listening')
  server.on('error', () => {})
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

function serve(socket: Socket, handle: QueryHandler): void {
  let received = Buffer.alloc(0)
  let underWay = 0
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    take()
  })

  function take(): void {
    while (underWay < MOST_AT_ONCE && received.length >= 2) {
      const end = 2 + received.readUInt16BE(0)
      if (received.length < end) break
      const bytes = received.subarray(2, end)
      received = received.subarray(end)
      answer(bytes)
    }
    if (underWay >= MOST_AT_ONCE) socket.pause()
    else socket.resume()
  }

  function answer(bytes: Buffer): void {
    const response = handle(bytes, 'tcp')
    if (!(response instanceof Promise)) {
      send(response)
      return
    }
    underWay++
    void response.then(found => {
      underWay--
      send(found)
      take()
    })
  }

  function send(response: Buffer | undefined): void {
    if (!response) {
      socket.destroy()
      return
    }
    if (socket.destroyed) return
    const length = Buffer.alloc(2)
    length.writeUInt16BE(response.length)
    socket.write(Buffer.concat([length, response]))
  }
}
