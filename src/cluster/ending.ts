// Takes back what starting a cluster has made, once, whoever asks and however often.
import type { Undo } from './parts.ts'

export class Ending {
  /** How long pods may take to end; milliseconds. Known when the end begins. */
  graceMs = 0
  readonly #undo: Undo[] = []
  readonly #release: Undo
  readonly #removeRest: () => Promise<void>
  readonly #hurry = new AbortController()
  #done: Promise<void> | undefined

  /** `removeRest` takes away what nobody took back; `release` comes last, and gives the cluster's name free. */
  constructor(removeRest: () => Promise<void>, release: Undo) {
    this.#removeRest = removeRest
    this.#release = release
  }

  /** Aborts when pods are not to be waited for any longer. */
  get hurry(): AbortSignal {
    return this.#hurry.signal
  }

  add(undo: Undo): void {
    this.#undo.push(undo)
  }

  /** Resolves when nothing is left, for everybody who asks. */
  end(graceMs: number, hurried?: AbortSignal): Promise<void> {
    this.graceMs = graceMs
    hurried?.addEventListener('abort', () => this.#hurry.abort(), { once: true })
    this.#done ??= this.#undoAll()
    return this.#done
  }

  /** Newest first; what fails does not keep the rest from being undone. */
  async #undoAll(): Promise<void> {
    for (const back of this.#undo.toReversed()) await Promise.resolve(back()).catch(() => {})
    await this.#removeRest()
    await this.#release()
  }
}
