// Serves the CRI on a unix socket. Calls that the implementation lacks are answered UNIMPLEMENTED by gRPC itself.
import { chmodSync, rmSync } from 'node:fs'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { type StreamingMethod, streaming, type UnaryMethod, unary } from '../../base/grpc/call-handlers.ts'
import { loadDefinition, serviceDefinition } from '../cri/cri-codec.ts'
import { CRI_CODE, CriError } from '../cri/cri-error.ts'
import type { NativeImages } from './image-service.ts'
import type { NativeRuntime } from './native-runtime.ts'

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
    const bound = method.bind(owner) as UnaryMethod & StreamingMethod
    handlers[name] = responseStream ? streaming(bound, CANCELLED) : unary(bound, CANCELLED)
  }
  server.addService(definition, handlers as never)
}

/** One for all: it is also told of calls that are over. */
const CANCELLED = new CriError(CRI_CODE.cancelled, 'the caller has gone')
