// Events of a containerd that does not stream the CRI's (before 1.7): its own event service on the same socket says
// which task has started or ended. CRI status may lag behind it, so each event is told a second time a little later.
import type { Client } from '@grpc/grpc-js'
import { Metadata } from '@grpc/grpc-js'
import { AsyncQueue } from '../../base/async-queue.ts'
import type { Clock } from '../../base/clock.ts'
import { codecFromTable } from '../../base/protobuf/message-table.ts'
import type { ContainerEventResponse, ContainerEventType } from '../cri/cri.generated.ts'

const PATH = '/containerd.services.events.v1.Events/Subscribe'
/** The CRI's containers live in this namespace of containerd's. */
const NAMESPACE = 'k8s.io'
const LAG_MS = 200

const codec = codecFromTable({
  SubscribeRequest: 'filters=1:[]string',
  Envelope: 'namespace=2:string topic=3:string event=4:Any',
  Any: 'typeUrl=1:string value=2:bytes',
  // The field that all task events begin with.
  TaskEvent: 'containerId=1:string',
})

interface Envelope {
  namespace: string
  topic: string
  event?: { value: Uint8Array }
}

const TYPES: Record<string, ContainerEventType> = {
  '/tasks/create': 'CONTAINER_CREATED_EVENT',
  '/tasks/start': 'CONTAINER_STARTED_EVENT',
  '/tasks/exit': 'CONTAINER_STOPPED_EVENT',
  '/tasks/delete': 'CONTAINER_DELETED_EVENT',
}

/** The event without the pod's state, which containerd does not add. Undefined for what is none of ours. */
export function eventOf({ namespace, topic, event }: Envelope): ContainerEventResponse | undefined {
  const containerEventType = TYPES[topic]
  if (namespace !== NAMESPACE || !containerEventType || !event) return undefined
  const { containerId } = codec.decode('TaskEvent', event.value) as { containerId: string }
  return { containerId, containerEventType, createdAt: 0, containersStatuses: [] }
}

/** Until the signal aborts or the stream breaks. */
export async function* containerdEvents(
  client: Client,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<ContainerEventResponse> {
  const queue = new AsyncQueue<ContainerEventResponse>()
  const metadata = new Metadata()
  metadata.set('containerd-namespace', NAMESPACE)
  const call = client.makeServerStreamRequest(
    PATH,
    (request: object) => Buffer.from(codec.encode('SubscribeRequest', request as Record<string, unknown>)),
    (bytes: Buffer) => codec.decode('Envelope', bytes) as unknown as Envelope,
    { filters: [] },
    metadata,
  )
  const over = new AbortController()
  const stop = () => call.cancel()
  signal.addEventListener('abort', stop, { once: true })
  call.on('data', (envelope: Envelope) => {
    const event = eventOf(envelope)
    if (!event) return
    queue.push(event)
    clock.sleep(LAG_MS, over.signal).then(
      () => queue.push(event),
      () => {},
    )
  })
  call.on('error', error => queue.close(signal.aborted ? undefined : error))
  call.on('end', () => queue.close())
  try {
    yield* queue
  } finally {
    signal.removeEventListener('abort', stop)
    over.abort()
    call.cancel()
  }
}
