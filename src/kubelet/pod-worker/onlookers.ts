// Others who wait for something to become true of a pod: they are asked again each time the worker has looked at it.
import { aborted } from '../../base/aborted.ts'

export class Onlookers {
  #waiting: (() => void)[] = []

  /** The pod may be another now. */
  looked(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when it holds, or the signal aborts. */
  async until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    while (!holds() && !signal.aborted) {
      const ending = new AbortController()
      const looked = new Promise<void>(resolve => this.#waiting.push(resolve))
      await Promise.race([looked, aborted(signal, ending.signal)])
      ending.abort()
    }
  }
}
