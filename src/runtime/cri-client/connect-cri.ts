// A runtime behind a unix socket: ours, containerd or CRI-O. Errors come back as CriError with the server's words.
import { type CallOptions, Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { type Clock, SystemClock } from '../../base/clock.ts'
import type { GetEventsRequest, ImageService, RuntimeService } from '../cri/cri.generated.ts'
import { type LoadRequest, type LoadResponse, loadDefinition, serviceDefinition } from '../cri/cri-codec.ts'
import { CRI_CODE, CriError } from '../cri/cri-error.ts'
import { containerdEvents } from './containerd-events.ts'

export interface CriConnection extends RuntimeService, ImageService {
  /** Only our own runtime has it. */
  load(request: LoadRequest): Promise<LoadResponse>
  close(): void
}

/** Nothing is sent until the first call. */
export function connectCri(socket: string, clock: Clock = new SystemClock()): CriConnection {
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 16 << 20,
    'grpc.max_send_message_length': 16 << 20,
  })
  const definitions = {
    ...serviceDefinition('RuntimeService'),
    ...serviceDefinition('ImageService'),
    ...loadDefinition,
  }
  const methods = Object.entries(definitions).map(
    ([name, { path, responseStream, requestSerialize, responseDeserialize }]) => {
      const unary = (request: object, signal?: AbortSignal) =>
        new Promise((resolve, reject) => {
          const options: CallOptions = {}
          const call = client.makeUnaryRequest(
            path,
            requestSerialize,
            responseDeserialize,
            request,
            options,
            (error, value) => {
              signal?.removeEventListener('abort', cancel)
              if (error) reject(toCriError(error))
              else resolve(value)
            },
          )
          const cancel = () => call.cancel()
          signal?.addEventListener('abort', cancel, { once: true })
        })
      async function* stream(request: object, signal: AbortSignal) {
        const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request)
        const cancel = () => call.cancel()
        signal.addEventListener('abort', cancel, { once: true })
        try {
          for await (const item of call) yield item
        } catch (error) {
          if (!signal.aborted) throw toCriError(error as ServiceError)
        } finally {
          signal.removeEventListener('abort', cancel)
          call.cancel()
        }
      }
      return [name, responseStream ? stream : unary]
    },
  )
  const connection = { ...Object.fromEntries(methods), close: () => client.close() } as CriConnection
  return { ...connection, getContainerEvents: eventsOf(connection, client, clock) }
}

/** The CRI's own events; where they are not implemented, containerd's. */
function eventsOf({ getContainerEvents }: CriConnection, client: Client, clock: Clock) {
  return async function* events(request: GetEventsRequest, signal: AbortSignal) {
    try {
      yield* getContainerEvents(request, signal)
      return
    } catch (error) {
      if ((error as CriError).code !== CRI_CODE.unimplemented) throw error
    }
    yield* containerdEvents(client, clock, signal)
  }
}

function toCriError(error: ServiceError): CriError {
  return new CriError(error.code, error.details || error.message, { cause: error })
}
