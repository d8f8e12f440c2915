// Serves gRPC on a unix socket.
import { chmodSync, rmSync } from 'node:fs'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { type StreamingMethod, streaming, type UnaryMethod, unary } from './call-handlers.ts'
import type { GrpcService } from './grpc-service.ts'
import { socketPath } from './socket-path.ts'

/** By method: what answers a request, once or again and again. Methods that are left out are UNIMPLEMENTED. */
export type GrpcHandlers = Readonly<
  Record<string, (request: never, signal: AbortSignal) => Promise<object> | AsyncIterable<object>>
>

export interface GrpcServer {
  /** Ends every call and takes the socket away. */
  close(): void
}

/** Takes the place of whatever is at the path. Only this machine's root may connect unless `mode` says otherwise. */
export async function serveGrpc(
  path: string,
  services: readonly { service: GrpcService; handlers: GrpcHandlers }[],
  mode = 0o600,
): Promise<GrpcServer> {
  const server = new Server({ 'grpc.max_receive_message_length': 16 << 20 })
  for (const { service, handlers } of services) {
    const bound = Object.entries(handlers).map(([name, handler]) => {
      const answer = handler as (request: object, signal: AbortSignal) => unknown
      return [
        name,
        service[name]?.responseStream ? streaming(answer as StreamingMethod) : unary(answer as UnaryMethod),
      ]
    })
    server.addService(service, Object.fromEntries(bound))
  }
  rmSync(path, { force: true })
  const socket = socketPath(path)
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket.path}`, ServerCredentials.createInsecure(), error =>
      error ? reject(error) : resolve(),
    )
  })
  chmodSync(path, mode)
  return {
    close: () => {
      server.forceShutdown()
      rmSync(path, { force: true })
      socket.close()
    },
  }
}
