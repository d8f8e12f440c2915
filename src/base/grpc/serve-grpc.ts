// Serves gRPC on a unix socket.
import { chmodSync, rmSync } from 'node:fs'
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
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
      return [name, service[name]?.responseStream ? streaming(answer as Streaming) : unary(answer as Unary)]
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

type Unary = (request: object, signal: AbortSignal) => Promise<object>
type Streaming = (request: object, signal: AbortSignal) => AsyncIterable<object>

function unary(method: Unary) {
  return (call: ServerUnaryCall<object, object>, callback: sendUnaryData<object>) => {
    const abort = new AbortController()
    call.on('cancelled', () => abort.abort())
    method(call.request, abort.signal).then(
      answer => callback(null, answer),
      error => callback(toStatus(error)),
    )
  }
}

function streaming(method: Streaming) {
  return async (call: ServerWritableStream<object, object>) => {
    const abort = new AbortController()
    call.on('cancelled', () => abort.abort())
    try {
      for await (const item of method(call.request, abort.signal)) call.write(item)
      call.end()
    } catch (error) {
      call.destroy(toStatus(error) as Error)
    }
  }
}

function toStatus(error: unknown): { name: string; message: string; code: number; details: string } {
  const message = error instanceof Error ? error.message : String(error)
  const { code } = error as { code?: unknown }
  return {
    name: 'GrpcError',
    message,
    details: message,
    code: typeof code === 'number' ? code : status.UNKNOWN,
  }
}
