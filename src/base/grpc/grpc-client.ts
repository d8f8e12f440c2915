// Calls the services behind one unix socket.
import { type CallOptions, Client, credentials } from '@grpc/grpc-js'
import type { GrpcMethod, GrpcService } from './grpc-service.ts'
import { type SocketPath, socketPath } from './socket-path.ts'

export interface GrpcCallOptions {
  /** The call fails with DEADLINE_EXCEEDED after this long. */
  timeoutMs?: number
  signal?: AbortSignal
}

export class GrpcClient {
  readonly #service: GrpcService
  readonly #socket: SocketPath
  readonly #client: Client

  /** Nothing is sent before the first call. The socket's folder must be there. */
  constructor(socket: string, service: GrpcService) {
    this.#service = service
    this.#socket = socketPath(socket)
    this.#client = new Client(`unix:${this.#socket.path}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': 16 << 20,
      'grpc.initial_reconnect_backoff_ms': 100,
      // One that nobody answered before does not hold up the next client of the same path.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
    })
  }

  /** Resolves when somebody answers at the socket; rejects when nobody does in that time. */
  connected(withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs
    return new Promise((resolve, reject) =>
      this.#client.waitForReady(deadline, error => (error ? reject(error) : resolve())),
    )
  }

  /** Rejects with what gRPC says: `code` and `details`. */
  call<Answer extends object>(
    method: string,
    request: object,
    { timeoutMs, signal }: GrpcCallOptions = {},
  ): Promise<Answer> {
    const { path, requestSerialize, responseDeserialize } = this.#method(method)
    const options: CallOptions = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs }
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        options,
        (error, answer) => {
          signal?.removeEventListener('abort', cancel)
          if (error) reject(error)
          else resolve(answer as Answer)
        },
      )
      const cancel = () => call.cancel()
      if (signal?.aborted) cancel()
      else signal?.addEventListener('abort', cancel, { once: true })
    })
  }

  /** What the service sends until it ends the stream or the signal aborts; throws when the stream breaks. */
  async *stream<Item extends object>(
    method: string,
    request: object,
    signal: AbortSignal,
  ): AsyncGenerator<Item> {
    const { path, requestSerialize, responseDeserialize } = this.#method(method)
    const call = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request)
    const cancel = () => call.cancel()
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
    try {
      for await (const item of call) yield item as Item
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', cancel)
      call.cancel()
    }
  }

  close(): void {
    this.#client.close()
    this.#socket.close()
  }

  #method(name: string): GrpcMethod {
    const found = this.#service[name]
    if (!found) throw new Error(`no method ${name}`)
    return found
  }
}
