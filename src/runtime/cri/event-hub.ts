import { AsyncQueue } from '../../base/async-queue.ts'
import type { ContainerEventResponse } from './cri.generated.ts'

/** Hands container events to everybody who listens. */
export class EventHub {
  readonly #listeners = new Set<AsyncQueue<ContainerEventResponse>>()

  publish(event: ContainerEventResponse): void {
    for (const listener of this.#listeners) listener.push(event)
  }

  listen(signal: AbortSignal): AsyncIterable<ContainerEventResponse> {
    const queue = new AsyncQueue<ContainerEventResponse>(() => this.#listeners.delete(queue))
    this.#listeners.add(queue)
    const stop = () => {
      this.#listeners.delete(queue)
      queue.close()
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    return queue
  }
}
