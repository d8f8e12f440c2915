// Tells conmon the size of a terminal. conmon takes two lines that it reads at once for the first one twice, and
// clients of attach send two sizes at once (one off by one, so that programs draw anew): lines are kept apart in time.
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import type { Clock } from '../../../base/clock.ts'
import type { TerminalSize } from './remote-command.ts'

/** Long enough for conmon to read a line. */
const APART_MS = 30

export class ResizeWriter {
  readonly #ctl: string
  readonly #clock: Clock
  #next: TerminalSize | undefined
  #busy = false

  /** `ctl` is conmon's control fifo. */
  constructor(ctl: string, clock: Clock) {
    this.#ctl = ctl
    this.#clock = clock
  }

  /** Of the sizes that come while one is on its way, only the last counts. */
  resize(size: TerminalSize): void {
    this.#next = size
    if (!this.#busy) void this.#write()
  }

  async #write(): Promise<void> {
    this.#busy = true
    while (this.#next) {
      const { width, height } = this.#next
      this.#next = undefined
      try {
        writeNow(this.#ctl, `1 ${height} ${width}\n`)
      } catch {
        // The container has ended, and its folder with it.
        break
      }
      await this.#clock.sleep(APART_MS, new AbortController().signal)
    }
    this.#busy = false
  }
}

/** A fifo that nobody reads is refused instead of waited for. */
function writeNow(fifo: string, line: string): void {
  const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
  try {
    writeSync(fd, line)
  } finally {
    closeSync(fd)
  }
}
