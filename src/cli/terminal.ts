// What people see: steps with durations, colours only on a terminal.
import type { Clock } from '../base/clock.ts'

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export class Terminal {
  readonly #out: NodeJS.WriteStream
  readonly #coloured: boolean

  constructor(out: NodeJS.WriteStream = process.stdout, environment = process.env) {
    this.#out = out
    this.#coloured = Boolean(out.isTTY) && !environment.NO_COLOR && environment.TERM !== 'dumb'
  }

  paint(colour: keyof typeof CODES, text: string): string {
    return this.#coloured ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`)
  }

  /** A finished step: '  ✔ API server    81 ms  https://127.0.0.1:6443'. */
  done(what: string, tookMs: number, detail = ''): void {
    const took = this.paint('dim', `${Math.round(tookMs)} ms`.padStart(8))
    this.line(
      `  ${this.paint('green', '✔')} ${what.padEnd(12)}${took}  ${this.paint('dim', detail)}`.trimEnd(),
    )
  }

  failed(text: string): void {
    this.line(`${this.paint('red', '✘')} ${text}`)
  }
}

/** Measures from its making: `const took = stopwatch(clock); …; took()` in milliseconds. */
export function stopwatch(clock: Pick<Clock, 'now'>): () => number {
  const startedAt = clock.now()
  return () => clock.now() - startedAt
}
