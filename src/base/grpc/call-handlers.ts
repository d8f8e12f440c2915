// How a method becomes what gRPC calls: its answer, or its answers one after the other, or what it threw as a status.
import { type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js'

export type UnaryMethod = (request: object, signal: AbortSignal) => Promise<object>
export type StreamingMethod = (request: object, signal: AbortSignal) => AsyncIterable<object>

/** `gone` is what the method's signal aborts with when the caller has gone. */
export function unary(method: UnaryMethod, gone?: Error) {
  return (call: ServerUnaryCall<object, object>, callback: sendUnaryData<object>) => {
    const abort = new AbortController()
    call.on('cancelled', () => abort.abort(gone))
    method(call.request, abort.signal).then(
      answer => callback(null, answer),
      error => callback(toStatus(error)),
    )
  }
}

/** As `unary`, for a method that answers again and again. */
export function streaming(method: StreamingMethod, gone?: Error) {
  return async (call: ServerWritableStream<object, object>) => {
    const abort = new AbortController()
    call.on('cancelled', () => abort.abort(gone))
    try {
      for await (const item of method(call.request, abort.signal)) call.write(item)
      call.end()
    } catch (error) {
      call.destroy(toStatus(error) as Error)
    }
  }
}

/** A numeric `code` is gRPC's own; anything else that is thrown is UNKNOWN. */
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
