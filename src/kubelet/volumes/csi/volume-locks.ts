/** One thing at a time for each volume: nobody stages what somebody else is about to unstage. */
export class VolumeLocks {
  readonly #last = new Map<string, Promise<unknown>>()

  async run<T>(volume: string, action: () => Promise<T>): Promise<T> {
    const before = this.#last.get(volume) ?? Promise.resolve()
    const result = before.then(action)
    const over = result.catch(() => {})
    this.#last.set(volume, over)
    try {
      return await result
    } finally {
      if (this.#last.get(volume) === over) this.#last.delete(volume)
    }
  }
}
