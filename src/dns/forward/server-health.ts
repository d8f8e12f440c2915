// Which upstream servers are worth asking: one that fails is left alone for a growing while, so that a dead one
// costs a time-out now and then instead of one per query.
import type { PassiveClock } from '../../base/clock.ts'
import type { ServerAddress } from './exchange.ts'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000

interface State {
  failures: number
  /** Epoch milliseconds. */
  nextTryAt: number
  /** Somebody tries it after its pause. */
  trying: boolean
}

export class ServerHealth {
  readonly #clock: PassiveClock
  readonly #states = new Map<ServerAddress, State>()

  constructor(clock: PassiveClock) {
    this.#clock = clock
  }

  /**
   * Whether to ask it now. Of many queries that come when a failed server's pause is over, one tries it, the others
   * are told no until that one knows, at most `tryMs` later.
   */
  mayAsk(server: ServerAddress, tryMs: number): boolean {
    const state = this.#states.get(server)
    if (!state) return true
    const now = this.#clock.now()
    if (now < state.nextTryAt) return false
    state.nextTryAt = now + tryMs
    state.trying = true
    return true
  }

  answered(server: ServerAddress): void {
    this.#states.delete(server)
  }

  /** Of many queries that fail together only the first counts. */
  failed(server: ServerAddress): void {
    const state = this.#states.get(server)
    if (state && !state.trying) return
    const failures = (state?.failures ?? 0) + 1
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
    this.#states.set(server, { failures, nextTryAt: this.#clock.now() + pause, trying: false })
  }

  clear(): void {
    this.#states.clear()
  }
}
