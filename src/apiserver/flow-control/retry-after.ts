// How long the refused are told to stay away: twice as long when many come all the same, a second less each second when
// few do. Upstream: pkg/util/flowcontrol/dropped_requests_tracker.go.
const LONGEST_SECONDS = 32

interface Second {
  at: number
  refused: number
}

/** For one priority level. */
export class RetryAfter {
  #seconds = 1
  #raisedAt = 0
  #current: Second = { at: 0, refused: 0 }
  #past: Second[] = []

  /** Counts one refusal; answers the seconds to tell it. */
  refuse(now: number): number {
    const at = Math.floor(now / 1000)
    if (at === this.#current.at) this.#current.refused++
    else {
      this.#past = [...this.#past, this.#current].filter(
        second => this.#current.at - second.at <= LONGEST_SECONDS,
      )
      this.#current = { at, refused: 1 }
      this.#adjust(at)
    }
    return this.#seconds
  }

  /** By what was refused in as many seconds as are told. */
  #adjust(at: number): void {
    const told = this.#seconds
    const recent = this.#past.filter(second => second.at < at && at - second.at <= told)
    const refused = recent.reduce((sum, second) => sum + second.refused, 0)
    if (at - this.#raisedAt >= told && refused >= 3 * told) {
      this.#seconds = Math.min(LONGEST_SECONDS, told * 2)
      this.#raisedAt = at
    } else if (refused < told && told > 1) this.#seconds--
  }
}
