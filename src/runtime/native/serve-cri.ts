// Serves the CRI on a unix socket. Calls that the implementation lacks are answered UNIMPLEMENTED by gRPC itself.
import { chmodSync, rmSync } from 'node:fs'
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { loadDefinition, serviceDefinition } from '../cri/cri-codec.ts'
import { CRI_CODE, CriError } from '../cri/cri-error.ts'
import type { NativeImages } from './image-service.ts'
import type { NativeRuntime } from './native-runtime.ts'

type Unary = (request: object, signal: AbortSignal) => Promise<object>
type Streaming = (request: object, signal: AbortSignal) => AsyncIterable<object>

/** Answers how to stop serving. */
export async function serveCri(
  socket: string,
  runtime: NativeRuntime,
  images: NativeImages,
): Promise<() => void> {
  const server = new Server({
    'grpc.max_receive_message_length': 16 << 20,
    'grpc.max_send_message_length': 16 << 20,
  })
  add(server, serviceDefinition('RuntimeService'), runtime, runtime.commands, runtime.stats, runtime.about)
  add(server, serviceDefinition('ImageService'), images)
  add(server, loadDefinition, {
    load: async ({ path, names }: { path: string; names: string[] }) => ({
      names: await images.load(path, names),
    }),
  })
  rmSync(socket, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), error =>
      error ? reject(error) : resolve(),
    )
  })
  chmodSync(socket, 0o600)
  return () => server.forceShutdown()
}

/** Each call goes to the first part that has it. */
function add(
  server: Server,
  definition: ReturnType<typeof serviceDefinition>,
  ...implementations: readonly object[]
): void {
  const handlers: Record<string, unknown> = {}
  for (const [name, { responseStream }] of Object.entries(definition)) {
    const owner = implementations.find(one => name in one) as Record<string, unknown> | undefined
    const method = owner?.[name]
    if (typeof method !== 'function') continue
    const bound = method.bind(owner) as Unary & Streaming
    handlers[name] = responseStream ? streaming(bound) : unary(bound)
  }
  server.addService(definition, handlers as never)
}

/** One for all: it is also told of calls that are over. */
const CANCELLED = new CriError(CRI_CODE.cancelled, 'the caller has gone')

function unary(method: Unary) {
  return (call: ServerUnaryCall<object, object>, callback: sendUnaryData<object>) => {
    const abort = new AbortController()
    call.on('cancelled', () => abort.abort(CANCELLED))
    method(call.request, abort.signal).then(
      answer => callback(null, answer),
      error => callback(toStatus(error)),
    )
  }
}

function streaming(method: Streaming) {
  return async (call: ServerWritableStream<object, object>) => {
    const abort = new AbortController()
    call.on('cancelled', () => abort.abort(CANCELLED))
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
  const code = (error as { code?: unknown }).code
  return {
    name: 'CriError',
    message,
    details: message,
    code: typeof code === 'number' ? code : CRI_CODE.unknown,
  }
}
